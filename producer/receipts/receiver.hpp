#pragma once

#include "core/reference/reference.hpp"
#include "core/settings/settings.hpp"
#include "core/wire/receipt.hpp"
#include "producer/http/exchange.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fanfare {

/// A webhook that proved to be the provider's own.
struct AcceptedWebhook {
    std::vector<Receipt> receipts;
    std::string token;        // The same when this very delivery comes again; "" for none.
                              // Made of what is signed: a signature has several forms.
    std::string visit;        // To be fetched (GET) before the answer: confirms a subscription.
    std::size_t foreign = 0;  // Receipts whose reference is none of ours.
    std::size_t unread = 0;   // Events of a batch that could not be read.
};

/// A webhook that changes nothing. `why` is a label of metrics: missing_key, unsigned, forged,
/// stale, wrong_topic, malformed.
struct Refusal {
    int status = 403;
    std::string_view why;
};

/// A document without which nobody can judge: ask again when it is there.
struct Wanted {
    std::string url;
};

using Reception = std::variant<AcceptedWebhook, Refusal, Wanted>;

/// What was fetched before, by URL; null where it was not.
using Documents = std::function<const std::string*(const std::string& url)>;

/// What a receiver may know of the program around it.
///
/// Lifetime  the references outlive every receiver made with them.
struct ReceiverContext {
    std::string base_url;  // Settings::callback_url, without a '/' at its end.
    const References& references;
};

/// One account's webhooks: is it the provider, and what does it say. No I/O and no clock, so
/// that every provider's documents are tested as one pure function. Total: any bytes give a
/// Reception, nothing throws.
///
/// Threads   const functions on any.
class Receiver {
public:
    virtual ~Receiver() = default;

    [[nodiscard]] virtual Reception receive(const HttpCall& call, const Documents& documents,
                                            std::int64_t now_unix) const = 0;
};

/// The receiver of an account; null for a type that has no webhooks. To add one: a file in this
/// folder, a line in registry.cpp, a table of its documented events in its test.
[[nodiscard]] std::unique_ptr<Receiver> make_receiver(const AccountSettings& account,
                                                      const ReceiverContext& context);

/// Webhooks that are signed with a time are taken within these bounds.
inline constexpr std::int64_t age_max_s = 600;
inline constexpr std::int64_t ahead_max_s = 300;
[[nodiscard]] constexpr bool is_timely(std::int64_t signed_unix, std::int64_t now_unix,
                                       std::int64_t age_max = age_max_s) noexcept {
    return signed_unix >= now_unix - age_max && signed_unix <= now_unix + ahead_max_s;
}

/// Collects the receipts of one webhook.
class ReceiptList {
public:
    ReceiptList(const References& references, Channel channel)
        : references_{references}, channel_{channel} {}

    /// `reference` as the provider gave it back, "" where there was none.
    void add(std::string_view reference, ReceiptEvent event, std::int64_t at_unix,
             std::string_view address, std::string_view event_id);

    /// The same where the signature does not cover what was said: what bears no reference of ours
    /// says nothing, of nobody's address either.
    void add_ours(std::string_view reference, ReceiptEvent event, std::int64_t at_unix,
                  std::string_view address, std::string_view event_id);

    /// Something that could not be read, beside what could.
    void skip() { ++received_.unread; }

    [[nodiscard]] AcceptedWebhook take(std::string token);

private:
    const References& references_;
    Channel channel_;
    AcceptedWebhook received_;
};

/// A secret of an account, or an option that is none; "" where it is not set.
[[nodiscard]] std::string account_value(const AccountSettings& account, const std::string& name);

}  // namespace fanfare
