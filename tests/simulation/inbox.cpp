// What may be asked of a provider, and when: looked at as each request begins.
#include "core/domain/doubt.hpp"
#include "tests/simulation/provider_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace fanfare::simulation {

using std::chrono::milliseconds;
using std::chrono::seconds;

Asked parse_request(const std::string& body) {
    std::istringstream in{body};
    Asked asked;
    int channel = 0;
    in >> asked.account >> asked.job >> asked.chunk >> channel >> asked.credential;
    asked.channel = static_cast<Channel>(channel);
    for (std::string address; in >> address;) asked.addresses.push_back(address);
    return asked;
}

std::string person_of(const std::string& address) { return address.substr(0, address.find('/')); }

std::size_t device_number(const std::string& address) {
    const char last = address.back();
    return last >= '0' && last <= '9' ? static_cast<std::size_t>(last - '0') : 0;
}

std::string device_of(const std::string& person, std::size_t device) {
    return fmt::format("{}/{}", person, device);
}

std::string mail_of(const std::string& person) { return person + "/mail"; }

bool has_no_device(const std::string& person) { return (person.back() - '0') % 5 == 1; }

bool has_dead_devices(const std::string& person) { return (person.back() - '0') % 5 == 3; }

void Inbox::allows(double per_second) {
    const auto now = parts_.clock.steady_now();
    if (!rates_.empty()) rates_.back().first = now;
    rates_.emplace_back(SteadyTime::max(), per_second);
}

bool Inbox::knows(const Asked& asked) const {
    const auto found = valid_from_.find(asked.account);
    return found == valid_from_.end() || asked.credential >= found->second;
}

Storm Inbox::storm_of(const std::string& account) const {
    const auto found = storms_.find(account);
    if (found == storms_.end() || found->second.first <= parts_.clock.steady_now()) {
        return Storm::none;
    }
    return found->second.second;
}

/// The highest that a worker may have read last.
double Inbox::rate_max() const {
    const auto now = parts_.clock.steady_now();
    const auto& plan = parts_.plan;
    const bool may_be_late = plan.count(MoveKind::pause) > 0 || plan.odds.slow_query > 0;
    double most = 0;
    for (const auto& [until, rate] : rates_) {
        const bool may_be_known =
            may_be_late || until == SteadyTime::max() || now < until + seconds{4};
        if (may_be_known) most = std::max(most, rate);
    }
    return most;
}

/// How long after it was said in the ledger a worker may begin what it had marked by then: a trip,
/// or as long as it stood still or the ledger was slow.
SteadyTime::duration Inbox::grace() const {
    const auto& plan = parts_.plan;
    const bool may_be_late = plan.count(MoveKind::pause) + plan.count(MoveKind::outage) > 0;
    if (may_be_late || plan.odds.slow_query > 0) return seconds{25};
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
    const auto& moved = parts_.store.moved_at();
    const auto& blocks = parts_.store.blocks();
    const auto found = blocks.find(account);
    // What a wrong clock gave out overlaps with what the right one gives out, for moments; what was
    // given out within a wait does so when that wait is over.
    auto uneven_until = moved ? *moved + seconds{4} : SteadyTime::min();
    uneven_until =
        std::max<SteadyTime>(uneven_until, parts_.store.overlaps_until(account) + seconds{2});
    if (moved && found != blocks.end()) {
        const auto& block = found->second;
        const auto until = block.since <= *moved ? block.until : block.unsure_until;
        uneven_until = std::max<SteadyTime>(uneven_until, until + seconds{4});
    }
    if (now > uneven_until && count > rate_max() + 1) {
        parts_.store.breaks(fmt::format("{} calls in a second", count));
    }
    if (found == blocks.end()) return;
    // Who has a slice in hand may use it up, until they read that another worker was asked to wait.
    const auto& block = found->second;
    if (parts_.store.is_unsure(block)) return;
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
    const auto slack = parts_.store.slack();
    if (job->expires_at && slack && *job->expires_at + *slack < now) say("has expired");
    if (job->cancelled_at && now > *job->cancelled_at + grace()) say("is cancelled");
    if (job->held_since && now > *job->held_since + grace()) say("is paused");
}

void Inbox::check_people(const Asked& asked) {
    const auto now = parts_.clock.steady_now();
    for (const auto& address : asked.addresses) {
        auto& device = devices_[address];
        ++device.asked;
        check_sleep(address);
        if (asked.channel != Channel::push) check_turn(asked, address);
        // Who is asked for again may be in a request of somebody who began by a wrong clock.
        if (device.in_flight && !parts_.store.leases_doubted()) {
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

void Inbox::check_sleep(const std::string& address) {
    const auto nights = parts_.plan.sleepers();
    const auto slack = parts_.store.slack();
    if (!nights.any() || !slack) return;
    const auto wakes = nights.device_wakes(person_of(address), device_number(address));
    if (parts_.clock.steady_now() + *slack < wakes) {
        parts_.store.breaks(fmt::format("{} is asked for in their quiet hours", address));
    }
}

/// Nobody is turned to before their own channel has said that it cannot reach them.
void Inbox::check_turn(const Asked& asked, const std::string& address) {
    const auto person = person_of(address);
    for (const auto& [key, chunk] : parts_.store.chunks()) {
        if (key.job != asked.job || key.channel != Channel::push) continue;
        const auto place = std::find(chunk.recipients.begin(), chunk.recipients.end(), person);
        if (place == chunk.recipients.end()) continue;
        const auto i = static_cast<std::size_t>(place - chunk.recipients.begin());
        const auto outcome = static_cast<Outcome>(chunk.outcomes[i]);
        const bool is_over = is_final(outcome) && !is_told(outcome) && outcome != Outcome::unknown;
        if (is_over) continue;
        parts_.store.breaks(
            fmt::format("{} is turned to by e-mail and is {} by push", person, to_string(outcome)));
    }
}

void Inbox::accepts(const std::string& address, const Asked& asked) {
    ++devices_[address].accepted;
    const auto at_most = parts_.plan.at_most;
    if (at_most == 0) return;
    const auto person = person_of(address);
    auto& jobs = told_by_[StoreModel::human_of(person)];
    jobs.insert(parts_.store.origin_of(asked.job));
    if (jobs.size() > at_most) {
        parts_.store.breaks(fmt::format("{} is told by {} jobs", person, jobs.size()));
    }
}

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
