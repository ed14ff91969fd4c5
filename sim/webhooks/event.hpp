#pragma once

#include "core/http/exchange.hpp"
#include "sim/webhooks/delivery.hpp"
#include "sim/webhooks/keys.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fanfare::sim {

/// What a provider tells of a message. A later one outweighs an earlier one.
enum class EventKind : std::uint8_t {
    none,
    accepted,  // Queued.
    deferred,  // The provider itself tries again.
    delivered,
    opened,
    clicked,
    unsubscribed,  // SMS: opted out.
    complained,
    soft_bounced,  // Given up; the address may be fine.
    hard_bounced,  // The address is dead.
};
inline constexpr std::size_t event_kind_count = 10;

[[nodiscard]] std::string_view to_string(EventKind kind) noexcept;

/// One event of one message.
struct Event {
    EventKind kind = EventKind::delivered;
    Delivery delivery;
    std::uint64_t number = 0;      // Makes its ids: the same in every repeat of the event.
    std::int64_t happened_ms = 0;  // Unix time.
};

/// What a post needs besides its events.
struct Posting {
    std::string url;            // The public one: signatures cover it.
    std::int64_t now_ms = 0;    // Unix time of this attempt.
    std::uint64_t attempt = 0;  // Unique: makes nonces and tokens.
};

/// The request that tells of events, signed as the real provider does. Only SendGrid tells of
/// several at once; the others look at the first. All are of one scheme.
[[nodiscard]] HttpRequest compose(std::span<const Event> events, const Keys& keys,
                                  const Posting& posting);

// One a provider.
[[nodiscard]] HttpRequest compose_mailgun(const Event& event, const Keys& keys,
                                          const Posting& posting);
[[nodiscard]] HttpRequest compose_sendgrid(std::span<const Event> events, const Keys& keys,
                                           const Posting& posting);
[[nodiscard]] HttpRequest compose_ses(const Event& event, const Keys& keys, const Posting& posting);
[[nodiscard]] HttpRequest compose_twilio(const Event& event, const Keys& keys,
                                         const Posting& posting);
[[nodiscard]] HttpRequest compose_vonage_sms(const Event& event, const Keys& keys,
                                             const Posting& posting);
[[nodiscard]] HttpRequest compose_vonage_messages(const Event& event, const Keys& keys,
                                                  const Posting& posting);

/// SNS asks the owner of a URL whether it wants a topic. `token` names the question.
[[nodiscard]] HttpRequest compose_sns_subscription(std::string_view token, const Keys& keys,
                                                   const Posting& posting);

}  // namespace fanfare::sim
