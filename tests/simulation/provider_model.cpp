#include "tests/simulation/provider_model.hpp"

#include "core/clock/timer.hpp"

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>

namespace fanfare::simulation {
namespace {

namespace asio = boost::asio;

void rethrow(const std::exception_ptr& fault) {
    if (fault) std::rethrow_exception(fault);
}

}  // namespace

void PushProvider::compose(const Batch& batch, HttpRequest& out) const {
    out.url = "https://simulated.example/";
    out.body =
        fmt::format("{} {} {} {} {}", parts_.account, batch.reference.job, batch.reference.chunk,
                    static_cast<int>(parts_.channel), parts_.credential);
    for (const auto& message : batch.messages) {
        out.body += ' ';
        out.body += message.address;
    }
}

BatchAnswer PushProvider::read(const HttpAnswer& answer, std::size_t count,
                               std::int64_t now_unix) const {
    BatchAnswer read;
    read.retry_after = parse_retry_after(answer.retry_after, now_unix);
    const auto say = [&read](Verdict verdict, Reason reason) {
        read.verdict = verdict;
        read.reason = reason;
    };
    const auto no_doubt = [this](Plant plant) { return plant_ == plant; };
    if (answer.transport == Transport::not_sent) {
        say(Verdict::transient, Reason::not_sent);
    } else if (answer.transport == Transport::in_doubt) {
        say(no_doubt(Plant::doubt_as_passing) ? Verdict::transient : Verdict::ambiguous,
            Reason::answer_lost);
    } else if (answer.status == 200 && answer.body.size() == count) {
        return read_people(answer.body);
    } else if (answer.status == 200) {
        say(Verdict::ambiguous, Reason::answer_unreadable);
    } else if (answer.status == 401) {
        say(Verdict::config, Reason::account_unusable);
    } else if (answer.status == 429) {
        say(Verdict::throttle, Reason::throttled);
    } else if (answer.status == 502 && no_doubt(Plant::unreadable_as_sent)) {
        say(Verdict::ok, Reason::none);
    } else if (answer.status == 502 && !no_doubt(Plant::gateway_as_passing)) {
        say(Verdict::ambiguous, Reason::answer_unreadable);
    } else {
        say(Verdict::transient, Reason::provider_unavailable);
    }
    return read;
}

/// One letter a person: s as in sent, r as in refused, t as in try again.
BatchAnswer PushProvider::read_people(const std::string& body) const {
    BatchAnswer read;
    read.verdict = Verdict::ok;
    read.provider_id = "an-id";
    if (body.find_first_not_of('s') == std::string::npos || plant_ == Plant::partial_as_sent) {
        return read;
    }
    if (plant_ == Plant::partial_as_passing) {
        read.verdict = Verdict::transient;
        read.reason = Reason::provider_unavailable;
        return read;
    }
    for (std::uint32_t i = 0; i < body.size(); ++i) {
        if (body[i] == 'r') {
            read.exceptions.push_back({i, Verdict::perm_rcpt, Reason::recipient_refused, {}});
        } else if (body[i] == 'd') {
            read.exceptions.push_back({i, Verdict::suppress, Reason::address_invalid, {}});
        } else if (body[i] == 't') {
            read.exceptions.push_back({i, Verdict::transient, Reason::provider_unavailable, {}});
        }
    }
    return read;
}

void SimulatedHttp::start(const HttpRequest& request, Done done) {
    ++in_flight_;
    // Whoever has read other settings since has another bound.
    if (in_flight_ > requests_max_ && !parts_.plan.has_reloads()) {
        parts_.store.breaks(fmt::format("{} requests at once", in_flight_));
    }
    auto asked = parse_request(request.body);
    parts_.inbox.begins(asked);
    asio::co_spawn(parts_.outside, carry(std::move(asked), std::move(done)), rethrow);
}

bool SimulatedHttp::is_cursed(const std::string& address) const {
    for (std::size_t i = 0; i < parts_.plan.cursed; ++i) {
        if (person_of(address) == fmt::format("a{:03}", i * 3)) return true;
    }
    return false;
}

asio::awaitable<void> SimulatedHttp::carry(Asked asked, Done done) {
    const auto& first = asked.addresses.front();
    const auto times = static_cast<std::uint64_t>(parts_.inbox.devices().at(first).asked);
    Dice dice{parts_.plan.seed + std::hash<std::string>{}(first) + times * 7'919};
    auto said = co_await answer(asked, dice);
    const bool is_doubt = said.transport == Transport::in_doubt || said.status == 502 ||
                          (said.status == 200 && said.body.size() != asked.addresses.size());
    for (std::size_t i = 0; i < asked.addresses.size(); ++i) {
        const auto& address = asked.addresses[i];
        if (is_doubt) parts_.inbox.doubts(address, asked);
        // Nothing else settles a doubt.
        if (!is_doubt && said.status == 200 && said.body[i] == 's') parts_.inbox.answers(address);
    }
    parts_.inbox.ends(asked);
    parts_.story.tell("account {} answers for {}: {} {}", asked.account, first,
                      said.transport == Transport::answered   ? "with"
                      : said.transport == Transport::in_doubt ? "never"
                                                              : "unreachable",
                      said.status);
    // A worker that is dead by now does not hear it.
    asio::post(parts_.worker, [this, done = std::move(done), said = std::move(said)] {
        --in_flight_;
        done(said);
    });
}

asio::awaitable<HttpAnswer> SimulatedHttp::answer(const Asked& asked, Dice& dice) {
    const auto& odds = parts_.plan.odds;
    HttpAnswer said;
    const auto way = dice.between(1, 40);
    co_await pause_for(way);
    const auto storm = parts_.inbox.storm_of(asked.account);
    if (dice.hits(odds.unreachable) || storm == Storm::unreachable) co_return said;
    said.transport = Transport::answered;
    if (!parts_.inbox.knows(asked)) {
        said.status = 401;
        co_return said;
    }
    bool never = storm == Storm::silent ||
                 std::any_of(asked.addresses.begin(), asked.addresses.end(),
                             [this](const auto& address) { return is_cursed(address); });
    if (!never && dice.hits(odds.throttled)) {
        said.status = 429;
        said.retry_after = std::to_string(1 + dice.below(8));
    } else if (dice.hits(odds.broken) || storm == Storm::broken) {
        said.status = 500;
    } else if (dice.hits(odds.gateway)) {
        said.status = 502;
        if (dice.hits(500)) std::ignore = serve(asked, dice);
    } else {
        if (dice.hits(odds.never)) never = true;
        said.status = 200;
        if (!never || dice.hits(500)) said.body = serve(asked, dice);
        if (dice.hits(odds.unreadable)) said.body = "<html>";
    }
    auto back = dice.between(1, 60);
    if (dice.hits(odds.late)) back += dice.between(1'000, 5'500);
    if (never || way + back >= timeout_) {
        co_await pause_for(timeout_ - way);
        HttpAnswer nothing;
        nothing.transport = Transport::in_doubt;
        co_return nothing;
    }
    co_await pause_for(back);
    said.elapsed = way + back;
    co_return said;
}

std::string SimulatedHttp::serve(const Asked& asked, Dice& dice) {
    const auto& odds = parts_.plan.odds;
    std::string body;
    for (const auto& address : asked.addresses) {
        const bool is_dead = parts_.plan.turns && asked.channel == Channel::push &&
                             has_dead_devices(person_of(address));
        if (is_dead) {
            body += 'd';
        } else if (dice.hits(odds.refused)) {
            body += 'r';
        } else if (asked.addresses.size() > 1 && dice.hits(odds.passing)) {
            body += 't';
        } else {
            body += 's';
            accept(asked, address, dice);
        }
    }
    return body;
}

void SimulatedHttp::accept(const Asked& asked, const std::string& address, Dice& dice) {
    parts_.inbox.accepts(address, asked);
    parts_.story.tell("{} is told", address);
    if (!dice.hits(parts_.plan.odds.receipts)) return;
    asio::co_spawn(parts_.outside, tell_later(asked.key(), person_of(address), Dice{dice.word()}),
                   rethrow);
}

/// Late, out of order and more than once.
asio::awaitable<void> SimulatedHttp::tell_later(ledger::ChunkKey key, std::string person,
                                                Dice dice) {
    constexpr std::array<ReceiptEvent, 5> events{ReceiptEvent::accepted, ReceiptEvent::delivered,
                                                 ReceiptEvent::opened, ReceiptEvent::clicked,
                                                 ReceiptEvent::delivered};
    const auto count = 1 + dice.below(4);
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto wait = dice.between(1, dice.hits(500) ? 50 : 2'500);
        co_await pause_for(wait);
        const auto event = events[dice.below(events.size())];
        const auto& chunk = parts_.store.chunks().at(key);
        const auto place = std::find(chunk.recipients.begin(), chunk.recipients.end(), person);
        if (place == chunk.recipients.end()) co_return;
        parts_.inbox.promises(person, key, event);
        parts_.store.hear(key, static_cast<std::uint32_t>(place - chunk.recipients.begin()), event);
    }
}

}  // namespace fanfare::simulation
