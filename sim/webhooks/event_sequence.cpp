#include "sim/webhooks/event_sequence.hpp"

#include <algorithm>
#include <charconv>

namespace fanfare::sim {

namespace {

// Draws of one address.
enum Draw : std::uint64_t { bounce = 300, delivery, complaint, unsubscription, click, opening };

bool is_sms(Scheme scheme) noexcept { return scheme >= Scheme::twilio; }

EventKind possible(EventKind outcome, Scheme scheme) {
    const bool seen = outcome == EventKind::opened || outcome == EventKind::clicked ||
                      outcome == EventKind::complained;
    return is_sms(scheme) && seen ? EventKind::delivered : outcome;
}

// "rc=3" of a fragment "rc=3&rp=all".
std::string_view fragment_value(std::string_view url, std::string_view name) {
    const auto mark = url.find('#');
    if (mark == url.npos) return {};
    auto rest = url.substr(mark + 1);
    while (!rest.empty()) {
        const auto end = std::min(rest.find('&'), rest.size());
        const auto pair = rest.substr(0, end);
        if (pair.starts_with(name) && pair.substr(name.size(), 1) == "=") {
            return pair.substr(name.size() + 1);
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return {};
}

bool twilio_repeats(unsigned failures, const Reply& reply, std::string_view url) {
    unsigned count = 1;
    const auto told = fragment_value(url, "rc");
    std::from_chars(told.data(), told.data() + told.size(), count);
    if (failures > std::min(count, 5U)) return false;
    auto policies = fragment_value(url, "rp");
    if (policies.empty()) policies = "ct";
    const std::string_view happened = !reply.connected      ? "ct"
                                      : reply.status == 0   ? "rt"
                                      : reply.status >= 500 ? "5xx"
                                      : reply.status >= 400 ? "4xx"
                                                            : "none";
    while (!policies.empty()) {
        const auto end = std::min(policies.find(','), policies.size());
        const auto policy = policies.substr(0, end);
        if (policy == happened || (policy == "all" && happened != "none")) return true;
        policies.remove_prefix(std::min(end + 1, policies.size()));
    }
    return false;
}

}  // namespace

std::uint64_t stable_hash(std::string_view text) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
    for (const auto c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return hash;
}

EventKind decide_outcome(const WebhookSettings& settings, std::uint64_t seed, Scheme scheme,
                         std::string_view address) {
    const auto listed = settings.outcomes.find(address);
    if (listed != settings.outcomes.end()) return possible(listed->second, scheme);
    const auto hash = stable_hash(address);
    const auto drawn = draw(seed, hash, bounce);
    if (drawn < settings.hard_bounce_rate) return EventKind::hard_bounced;
    if (drawn < settings.hard_bounce_rate + settings.soft_bounce_rate) {
        return EventKind::soft_bounced;
    }
    const auto happens = [&](double rate, Draw what) { return draw(seed, hash, what) < rate; };
    if (!happens(settings.delivered_rate, delivery)) return EventKind::none;
    auto outcome = EventKind::delivered;
    if (happens(settings.complaint_rate, complaint)) {
        outcome = EventKind::complained;
    } else if (happens(settings.unsubscribed_rate, unsubscription)) {
        outcome = EventKind::unsubscribed;
    } else if (happens(settings.clicked_rate, click)) {
        outcome = EventKind::clicked;
    } else if (happens(settings.opened_rate, opening)) {
        outcome = EventKind::opened;
    }
    return possible(outcome, scheme);
}

EventSequence plan_events(EventKind outcome, Scheme scheme, const SequenceOptions& options) {
    EventSequence sequence;
    const auto add = [&](EventKind kind) { sequence.kinds[sequence.size++] = kind; };
    if (options.progress) add(EventKind::accepted);
    if (options.deferred) add(EventKind::deferred);
    const bool bounced = outcome == EventKind::soft_bounced || outcome == EventKind::hard_bounced;
    const bool refused = is_sms(scheme) && outcome == EventKind::unsubscribed;
    if (outcome != EventKind::none && !bounced && !refused) add(EventKind::delivered);
    if (outcome == EventKind::clicked) add(EventKind::opened);
    if (outcome > EventKind::delivered) add(outcome);
    if (options.reversed)
        std::reverse(sequence.kinds.begin(), sequence.kinds.begin() + sequence.size);
    return sequence;
}

std::optional<std::chrono::seconds> retry_wait(Scheme scheme, unsigned failures, const Reply& reply,
                                               std::string_view url) {
    using std::chrono::seconds;
    // The first is documented; the second stands for "up to 24 hours".
    static constexpr std::array<int, 7> mailgun = {600, 600, 900, 1'800, 3'600, 7'200, 14'400};
    static constexpr std::array<int, 7> a_day = {60, 300, 900, 3'600, 7'200, 14'400, 28'800};
    if (scheme == Scheme::twilio) {
        if (twilio_repeats(failures, reply, url)) return seconds{1};
        return std::nullopt;
    }
    if (scheme == Scheme::mailgun && reply.status == 406) return std::nullopt;
    if (scheme == Scheme::ses) {
        if (failures > 3) return std::nullopt;
        return seconds{20};
    }
    const auto& waits = scheme == Scheme::mailgun ? mailgun : a_day;
    if (failures == 0 || failures > waits.size()) return std::nullopt;
    return seconds{waits[failures - 1]};
}

}  // namespace fanfare::sim
