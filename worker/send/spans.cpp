// What a trace tells of sending: ids, counts, words of ours and statuses. Nobody's address, and
// nothing of what a provider said, which may hold one.
#include "worker/send/spans.hpp"

#include "core/ledger/chunks.hpp"

namespace fanfare {

void begin_chunk_span(ChunkInProgress& work, std::chrono::nanoseconds since) {
    work.span = span_in(work.tracer, work.job->trace, "chunk", Span::Kind::consumer);
    if (!work.span) return;
    auto& span = *work.span;
    span.begin -= std::chrono::duration_cast<TimePoint::duration>(since);
    span.tell("fanfare.job", work.chunk.key.job);
    span.tell("fanfare.system", work.job->job.system);
    span.tell("fanfare.kind", work.job->job.kind);
    span.tell("fanfare.channel", std::string{to_string(work.chunk.key.channel)});
    span.tell("fanfare.lane", std::string{to_string(work.chunk.lane)});
    span.count("fanfare.chunk", work.chunk.key.number);
    span.count("fanfare.recipients", static_cast<std::int64_t>(work.chunk.outcomes.size()));
}

void end_chunk_span(ChunkInProgress& work) {
    if (!work.span) return;
    auto& span = *work.span;
    if (!work.account.empty()) span.tell("fanfare.account", work.account);
    const auto tally = ledger::tally_of(work.chunk.outcomes);
    for (std::size_t i = 0; i < tally.size(); ++i) {
        if (tally[i] == 0) continue;
        span.count("fanfare.outcome." + std::string{to_string(static_cast<Outcome>(i))}, tally[i]);
    }
    span.failed = work.lost || work.unrecorded;
    work.tracer->end(std::move(span));
    work.span.reset();
}

void tell_request(const ChunkInProgress& work, const AccountSettings& account, std::uint32_t people,
                  const HttpAnswer& answer, const BatchAnswer& meaning) {
    const bool is_mail = answer.step != MailStep::none;
    auto span = work.tracer->below(*work.span, "request", Span::Kind::client);
    span.begin -= answer.elapsed;
    span.tell("fanfare.job", work.chunk.key.job);
    span.tell("fanfare.account", account.name);
    span.tell("fanfare.provider", account.type);
    span.tell("fanfare.channel", std::string{to_string(account.channel)});
    span.tell("fanfare.verdict", std::string{to_string(meaning.verdict)});
    span.count("fanfare.recipients", people);
    if (answer.transport == Transport::answered) {
        span.count(is_mail ? "fanfare.smtp.status" : "http.response.status_code", answer.status);
    }
    span.failed = meaning.verdict != Verdict::ok;
    work.tracer->end(std::move(span));
}

}  // namespace fanfare
