// What may be asked of a provider, and when: looked at as each request begins.
#include "tests/simulation/provider_model.hpp"

#include <fmt/format.h>

#include <sstream>

namespace fanfare::simulation {

using std::chrono::milliseconds;
using std::chrono::seconds;

Asked parse_request(const std::string& body) {
    std::istringstream in{body};
    Asked asked;
    in >> asked.account >> asked.job >> asked.chunk;
    for (std::string address; in >> address;) asked.addresses.push_back(address);
    return asked;
}

std::string person_of(const std::string& address) { return address.substr(0, address.find('/')); }

/// How long after it was said in the ledger a worker may begin what it had marked by then: a trip,
/// or as long as it stood still or the ledger was slow.
SteadyTime::duration Inbox::grace() const {
    const auto& plan = parts_.plan;
    if (plan.count(MoveKind::pause) > 0 || plan.odds.slow_query > 0) return seconds{25};
    const bool asks_again = plan.odds.lost_question > 0 || plan.odds.lost_answer > 0;
    return milliseconds{asks_again ? 3'000 : 1'500};
}

void Inbox::begins(const Asked& asked) {
    parts_.story.tell("account {} is asked for {}", asked.account, fmt::join(asked.addresses, " "));
    check_rate(asked.account);
    check_job(asked);
    check_people(asked);
}

void Inbox::check_rate(const std::string& account) {
    const auto now = parts_.clock.steady_now();
    auto& calls = calls_[account];
    calls.push_back(now);
    while (now - calls.front() >= seconds{1}) calls.pop_front();
    const auto count = static_cast<double>(calls.size());
    if (count > parts_.plan.per_second + 1) {
        parts_.store.breaks(fmt::format("{} calls in a second", count));
    }
    const auto& blocks = parts_.store.blocks();
    const auto found = blocks.find(account);
    if (found == blocks.end()) return;
    // Who has a slice in hand may use it up, until they read that another worker was asked to wait.
    const auto& block = found->second;
    if (now > block.since + grace() && now + milliseconds{50} < block.until) {
        parts_.store.breaks(fmt::format("account {} is asked though it said 429", account));
    }
}

void Inbox::check_job(const Asked& asked) {
    const auto* const job = parts_.store.find_job(asked.job);
    if (job == nullptr) return;
    const auto now = parts_.clock.steady_now();
    const auto say = [&](std::string_view what) {
        parts_.store.breaks(
            fmt::format("{} is asked for though their job {}", asked.addresses.front(), what));
    };
    if (job->expires_at && *job->expires_at < now) say("has expired");
    if (job->cancelled_at && now > *job->cancelled_at + grace()) say("is cancelled");
    if (job->held_since && now > *job->held_since + grace()) say("is paused");
}

void Inbox::check_people(const Asked& asked) {
    const auto now = parts_.clock.steady_now();
    for (const auto& address : asked.addresses) {
        auto& device = devices_[address];
        ++device.asked;
        if (device.in_flight) {
            parts_.store.breaks(fmt::format("{} is in two requests at once", address));
        }
        device.in_flight = true;
        const bool is_in_doubt = !device.in_doubt_with.empty() && device.in_doubt_of == asked.job;
        if (is_in_doubt && device.in_doubt_with != asked.account) {
            parts_.store.breaks(fmt::format("{} is in doubt with {} and asked for of {}", address,
                                            device.in_doubt_with, asked.account));
        }
        const auto left = left_.find(person_of(address));
        // Consent is read once a claim and pass: a lease at most.
        if (left != left_.end() && now > left->second + seconds{21}) {
            parts_.store.breaks(fmt::format("{} is asked for though they left", address));
        }
    }
}

void Inbox::ends(const Asked& asked) {
    for (const auto& address : asked.addresses) devices_[address].in_flight = false;
}

void Inbox::accepts(const std::string& address) { ++devices_[address].accepted; }

void Inbox::doubts(const std::string& address, const Asked& asked) {
    auto& device = devices_[address];
    ++device.doubts;
    device.in_doubt_with = asked.account;
    device.in_doubt_of = asked.job;
}

void Inbox::answers(const std::string& address) { devices_[address].in_doubt_with.clear(); }

void Inbox::leaves(const std::string& person) {
    left_.emplace(person, parts_.clock.steady_now());
    parts_.story.tell("{} unsubscribes", person);
}

void Inbox::promises(const std::string& person, const ledger::ChunkKey& key, ReceiptEvent event) {
    promised_.push_back({person, key, event});
}

}  // namespace fanfare::simulation
