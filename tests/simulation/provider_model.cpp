#include "tests/simulation/provider_model.hpp"

#include "core/clock/timer.hpp"

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>

#include <exception>

namespace fanfare::simulation {

namespace asio = boost::asio;

void Inbox::called(SteadyTime now) {
    if (per_second_max <= 0) return;
    calls.push_back(now);
    while (now - calls.front() >= std::chrono::seconds{1}) calls.pop_front();
    const auto count = static_cast<double>(calls.size());
    if (count > per_second_max + 1) broken = fmt::format("{} calls in a second", count);
}

void PushProvider::compose(const Batch& batch, HttpRequest& out) const {
    out.url = "https://simulated.example/";
    out.body = batch.messages.front().address;
}

BatchAnswer PushProvider::read(const HttpAnswer& answer, std::size_t, std::int64_t now_unix) const {
    BatchAnswer read;
    read.retry_after = parse_retry_after(answer.retry_after, now_unix);
    const auto say = [&read](Verdict verdict, Reason reason) {
        read.verdict = verdict;
        read.reason = reason;
    };
    if (answer.transport == Transport::not_sent) {
        say(Verdict::transient, Reason::not_sent);
    } else if (answer.transport == Transport::in_doubt) {
        say(Verdict::ambiguous, Reason::answer_lost);
    } else if (answer.status == 200) {
        say(Verdict::ok, Reason::none);
        read.provider_id = answer.body;
    } else if (answer.status == 429) {
        say(Verdict::throttle, Reason::throttled);
    } else if (answer.status == 400) {
        say(Verdict::perm_rcpt, Reason::recipient_refused);
    } else {
        say(Verdict::transient, Reason::provider_unavailable);
    }
    return read;
}

void SimulatedHttp::start(const HttpRequest& request, Done done) {
    ++in_flight_;
    parts_.inbox.called(parts_.clock.steady_now());
    asio::co_spawn(parts_.executor, carry(request.body),
                   [this, done = std::move(done)](std::exception_ptr fault, HttpAnswer answer) {
                       if (fault) std::rethrow_exception(fault);
                       --in_flight_;
                       done(std::move(answer));
                   });
}

asio::awaitable<HttpAnswer> SimulatedHttp::carry(std::string person) {
    auto& dice = parts_.dice;
    const auto& odds = parts_.odds;
    HttpAnswer answer;
    const auto way = dice.between(1, 40);
    co_await pause_for(way);
    if (dice.hits(odds.unreachable)) co_return answer;
    answer.transport = Transport::answered;
    if (dice.hits(odds.throttled)) {
        answer.status = 429;
        answer.retry_after = std::to_string(1 + dice.below(5));
    } else if (dice.hits(odds.refused)) {
        answer.status = 400;
    } else if (dice.hits(odds.broken)) {
        answer.status = 500;
    } else {
        const bool answers = !dice.hits(odds.never);
        if (answers || dice.hits(500)) ++parts_.inbox.accepted[person];
        if (!answers) {
            co_await pause_for(timeout_ - way);
            answer.transport = Transport::in_doubt;
            co_return answer;
        }
        answer.status = 200;
        answer.body = "id-of-" + person;
    }
    auto back = dice.between(1, 60);
    if (dice.hits(odds.late)) back += dice.between(1'000, 3'500);
    co_await pause_for(back);
    answer.elapsed = way + back;
    co_return answer;
}

}  // namespace fanfare::simulation
