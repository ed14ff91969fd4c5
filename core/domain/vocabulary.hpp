#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

/// The closed vocabularies of the domain: the same words in code, SQL, metrics and CLI.
/// The numbers are stored in the ledger and never change meaning.
namespace fanfare {

enum class Channel : std::uint8_t { email = 0, sms = 1, push = 2 };
inline constexpr std::size_t channel_count = 3;
inline constexpr std::array<Channel, channel_count> channels{Channel::email, Channel::sms,
                                                             Channel::push};

/// Urgent work overtakes normal work, normal overtakes bulk.
enum class Lane : std::uint8_t { urgent = 0, normal = 1, bulk = 2 };
inline constexpr std::size_t lane_count = 3;
inline constexpr std::array<Lane, lane_count> lanes{Lane::urgent, Lane::normal, Lane::bulk};

/// What became of one recipient on one channel. One byte in `chunk.outcomes`.
enum class Outcome : std::uint8_t {
    pending = 0,    // Planned, not yet tried.
    sent = 1,       // The provider took responsibility.
    delivered = 2,  // A receipt said so.
    opened = 3,
    clicked = 4,
    refused = 5,     // Permanent: the provider will not serve this recipient.
    suppressed = 6,  // On our suppression list, or a duplicate address.
    opted_out = 7,   // The person does not want this kind.
    no_address = 8,  // No live address on this channel.
    expired = 9,     // Too late to be true.
    cancelled = 10,
    retry = 11,     // A passing fault; due again at chunk.next_at.
    failed = 12,    // Attempts used up.
    unknown = 13,   // The answer was lost: nobody can know. A person may replay it.
    replayed = 14,  // A later job took this person over; what became of them stands there.
};
inline constexpr std::size_t outcome_count = 15;

/// Why an outcome is what it is. One byte in `chunk.reasons`, and another in `chunk.causes` for
/// what stands behind it: the last fault of who used up their attempts, what came after a doubt
/// (core/domain/doubt.hpp). 0 where nothing needs saying.
enum class Reason : std::uint8_t {
    none = 0,
    address_invalid = 1,    // The provider calls the address or token invalid or dead.
    recipient_refused = 2,  // The provider cannot serve this recipient.
    request_refused = 3,    // The content or parameters were refused.
    account_unusable = 4,   // Credentials, sender, domain or account state.
    throttled = 5,
    provider_unavailable = 6,
    answer_lost = 7,        // The request was written, no answer came.
    answer_unreadable = 8,  // Accepted, but the answer did not parse.
    worker_lost = 9,        // The worker died or stalled while the chunk was claimed.
    on_suppression_list = 10,
    duplicate_address = 11,  // Another person of the audience has the same address.
    consent_withdrawn = 12,
    address_missing = 13,
    past_expiry = 14,
    job_cancelled = 15,
    attempts_exhausted = 16,
    not_sent = 17,        // The request never left: DNS, connect or TLS.
    recipient_gone = 18,  // The contact query no longer knows this person.
    content_too_large = 19,
    too_often = 20,          // Over the kind's cap for this person.
    quiet_hours = 21,        // The kind drops what falls into them.
    recipient_invalid = 22,  // The contact query raises an error at this person.
    query_failed = 23,       // The contact query fails whoever is asked for.
    given_up = 24,           // Its chunk took worker after worker down.
    not_configured = 25,     // Its kind, system or account left the configuration.
};
inline constexpr std::size_t reason_count = 26;

/// Every provider answer is exactly one of these; see docs/providers.md.
enum class Verdict : std::uint8_t {
    ok,
    suppress,
    perm_rcpt,
    perm_req,
    config,
    throttle,
    transient,
    ambiguous,
};
inline constexpr std::size_t verdict_count = 8;

/// What to do with a recipient whose answer was lost.
enum class DoubtPolicy : std::uint8_t {
    hold,       // Never again: unknown.
    resend,     // Again: at most the requests in flight are doubled.
    reconcile,  // Unknown until a receipt tells; never sent again by itself.
};

[[nodiscard]] std::string_view to_string(Channel value) noexcept;
[[nodiscard]] std::string_view to_string(Lane value) noexcept;
[[nodiscard]] std::string_view to_string(Outcome value) noexcept;
[[nodiscard]] std::string_view to_string(Reason value) noexcept;
[[nodiscard]] std::string_view to_string(Verdict value) noexcept;
[[nodiscard]] std::string_view to_string(DoubtPolicy value) noexcept;

[[nodiscard]] std::optional<Channel> parse_channel(std::string_view word) noexcept;
[[nodiscard]] std::optional<Lane> parse_lane(std::string_view word) noexcept;
[[nodiscard]] std::optional<Outcome> parse_outcome(std::string_view word) noexcept;
[[nodiscard]] std::optional<DoubtPolicy> parse_doubt_policy(std::string_view word) noexcept;

/// False for pending and retry only.
[[nodiscard]] constexpr bool is_final(Outcome value) noexcept {
    return value != Outcome::pending && value != Outcome::retry;
}

}  // namespace fanfare
