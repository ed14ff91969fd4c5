#include "core/domain/vocabulary.hpp"

namespace fanfare {
namespace {

using std::string_view;

constexpr std::array<string_view, channel_count> channel_words{"email", "sms", "push"};
constexpr std::array<string_view, lane_count> lane_words{"urgent", "normal", "bulk"};
constexpr std::array<string_view, outcome_count> outcome_words{
    "pending",    "sent",    "delivered", "opened", "clicked", "refused", "suppressed", "opted_out",
    "no_address", "expired", "cancelled", "retry",  "failed",  "unknown", "replayed"};
constexpr std::array<string_view, reason_count> reason_words{"none",
                                                             "address_invalid",
                                                             "recipient_refused",
                                                             "request_refused",
                                                             "account_unusable",
                                                             "throttled",
                                                             "provider_unavailable",
                                                             "answer_lost",
                                                             "answer_unreadable",
                                                             "worker_lost",
                                                             "on_suppression_list",
                                                             "duplicate_address",
                                                             "consent_withdrawn",
                                                             "address_missing",
                                                             "past_expiry",
                                                             "job_cancelled",
                                                             "attempts_exhausted",
                                                             "not_sent",
                                                             "recipient_gone",
                                                             "content_too_large",
                                                             "too_often",
                                                             "quiet_hours",
                                                             "recipient_invalid",
                                                             "query_failed",
                                                             "given_up",
                                                             "not_configured"};
constexpr std::array<string_view, verdict_count> verdict_words{
    "ok", "suppress", "perm_rcpt", "perm_req", "config", "throttle", "transient", "ambiguous"};
constexpr std::array<string_view, 3> doubt_words{"hold", "resend", "reconcile"};

template <class Enum, std::size_t N>
string_view word(const std::array<string_view, N>& words, Enum value) noexcept {
    const auto index = static_cast<std::size_t>(value);
    return index < N ? words[index] : string_view{"?"};
}

template <class Enum, std::size_t N>
std::optional<Enum> parse(const std::array<string_view, N>& words, string_view text) noexcept {
    for (std::size_t i = 0; i < N; ++i) {
        if (words[i] == text) return static_cast<Enum>(i);
    }
    return std::nullopt;
}

}  // namespace

string_view to_string(Channel value) noexcept { return word(channel_words, value); }
string_view to_string(Lane value) noexcept { return word(lane_words, value); }
string_view to_string(Outcome value) noexcept { return word(outcome_words, value); }
string_view to_string(Reason value) noexcept { return word(reason_words, value); }
string_view to_string(Verdict value) noexcept { return word(verdict_words, value); }
string_view to_string(DoubtPolicy value) noexcept { return word(doubt_words, value); }

std::optional<Channel> parse_channel(string_view text) noexcept {
    return parse<Channel>(channel_words, text);
}
std::optional<Lane> parse_lane(string_view text) noexcept { return parse<Lane>(lane_words, text); }
std::optional<Outcome> parse_outcome(string_view text) noexcept {
    return parse<Outcome>(outcome_words, text);
}
std::optional<DoubtPolicy> parse_doubt_policy(string_view text) noexcept {
    return parse<DoubtPolicy>(doubt_words, text);
}

}  // namespace fanfare
