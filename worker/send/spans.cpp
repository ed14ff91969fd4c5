// What a trace tells of sending: ids, counts, words of ours and statuses. Nobody's address, and
// nothing of what a provider said, which may hold one.
#include "worker/send/spans.hpp"

#include "core/ledger/chunks.hpp"

namespace fanfare {

ChunkSpan::ChunkSpan(Tracer* tracer, const Claim& claim, std::size_t people,
                     std::chrono::nanoseconds since)
    : tracer_{tracer}, claim_{claim} {
    if (tracer == nullptr || !claim.job) return;
    span_ = span_in(tracer, claim.job->trace, "chunk", Span::Kind::consumer);
    if (!span_) return;
    span_->begin -= std::chrono::duration_cast<TimePoint::duration>(since);
    span_->tell("fanfare.job", claim.key.job);
    span_->tell("fanfare.system", claim.job->job.system);
    span_->tell("fanfare.kind", claim.job->job.kind);
    span_->tell("fanfare.channel", std::string{to_string(claim.key.channel)});
    span_->tell("fanfare.lane", std::string{to_string(claim.lane)});
    span_->count("fanfare.chunk", claim.key.number);
    span_->count("fanfare.recipients", static_cast<std::int64_t>(people));
}

void ChunkSpan::lose() {
    if (span_) span_->failed = true;
}

void ChunkSpan::end(const ledger::ChunkPeople& people, const AccountSettings& account) {
    if (!span_) return;
    span_->tell("fanfare.account", account.name);
    const auto tally = ledger::count_outcomes(people.outcomes);
    for (std::size_t i = 0; i < tally.size(); ++i) {
        if (tally[i] == 0) continue;
        span_->count("fanfare.outcome." + std::string{to_string(static_cast<Outcome>(i))},
                     tally[i]);
    }
    tracer_->end(std::move(*span_));
    span_.reset();
}

void ChunkSpan::tell_request(const AccountSettings& account, std::uint32_t people,
                             const HttpAnswer& answer, const BatchAnswer& meaning) const {
    if (!span_) return;
    const bool is_mail = answer.step != MailStep::none;
    auto span = tracer_->below(*span_, "request", Span::Kind::client);
    span.begin -= answer.elapsed;
    span.tell("fanfare.job", claim_.key.job);
    span.tell("fanfare.account", account.name);
    span.tell("fanfare.provider", account.type);
    span.tell("fanfare.channel", std::string{to_string(account.channel)});
    span.tell("fanfare.verdict", std::string{to_string(meaning.verdict)});
    span.count("fanfare.recipients", people);
    if (answer.transport == Transport::answered) {
        span.count(is_mail ? "fanfare.smtp.status" : "http.response.status_code", answer.status);
    }
    span.failed = meaning.verdict != Verdict::ok;
    tracer_->end(std::move(span));
}

}  // namespace fanfare
