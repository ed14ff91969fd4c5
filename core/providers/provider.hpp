#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/error/failure.hpp"
#include "core/http/exchange.hpp"
#include "core/rendering/content.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// What names one send for receipts and support: travels in the provider's own custom
/// data. Holds no personal data. "<job>.<chunk>" is the same for a whole request; with
/// Message::ref behind it ("<job>.<chunk>.<position>.<tag>") it names one person's send and
/// cannot be made up by others.
struct SendReference {
    std::string job;                 // The job's uuid.
    std::uint32_t chunk = 0;         // Its number within (job, channel).
    std::string kind;                // For tags and collapse keys.
    std::string unsubscribe_prefix;  // UnsubscribeLinks completes it; "": there are none.
};

/// One request to be: the messages of a slice of one chunk, all of one locale.
struct Batch {
    const Content& content;
    std::span<const Message> messages;  // 1 .. Provider::batch_max().
    const SendReference& reference;
    std::int64_t expires_at_unix = 0;  // 0: never. For TTLs.
};

/// The answer for one recipient where it differs from the answer for the rest.
struct RecipientAnswer {
    std::uint32_t index;  // Into Batch::messages.
    Verdict verdict;
    Reason reason;
    std::string provider_id;
};

/// What one HTTP answer means: one verdict for the whole request, and the exceptions.
struct BatchAnswer {
    Verdict verdict = Verdict::ambiguous;
    Reason reason = Reason::none;              // none with ok.
    std::chrono::milliseconds retry_after{0};  // The provider's own hint; 0 means none.
    std::string provider_id;                   // Their message id for the call, or "".
    std::string detail;                        // "mailgun 400: to is not valid"; for logs only:
                                               // never an address, number, token or key.
    std::vector<RecipientAnswer> exceptions;   // Sorted by index.
    // What to do besides, where one verdict for all would be wrong:
    bool split = false;        // perm_req because of an unnamed recipient: halve and send again.
    bool resend_rest = false;  // Only the exceptions were at fault: send the others again at once.
    bool renew_credential = false;  // The access token is stale: renew it and send again, once.
    bool recipient_only = false;    // throttle: of this one address, not of the account.
    bool fewer_requests = false;    // throttle: too many at once rather than too fast.
    // What a mail server's refusal says of us rather than of the recipient, in our words ("relay
    // denied"); "": nothing. The verdict is then this recipient's; where servers of several domains
    // say the same, the account is at fault instead: see SenderRefusals.
    std::string_view of_us = {};
};

/// A short-lived credential that must be fetched over HTTP (OAuth2 access tokens).
struct CredentialExchange {
    HttpRequest request;
};

/// A value fetched by a CredentialExchange.
struct Credential {
    std::string value;
    std::chrono::seconds lifetime{0};
};

/// What the answer to a harmless call says of an account's credentials.
enum class Proof : std::uint8_t {
    well,         // The credentials are taken.
    unreachable,  // No answer came.
    refused,      // The credentials are not taken.
    clock,        // They are signed at the wrong time.
    unknown,      // No such account, domain or topic.
    may_not,      // The credentials are taken, and may not do what is asked.
    unclear,      // Nothing of the credentials.
};
struct Proven {
    Proof proof = Proof::unclear;
    std::string what;  // The provider's code or status; for people.
};

/// What an account's rate counts.
enum class RateUnit : std::uint8_t { recipients, requests, segments };

/// One vendor account: how it wants a request, and what its answers mean. No I/O: the
/// send stage moves the bytes, so that every provider is tested as two pure functions.
///
/// To add one: docs/providers.md, "Adding one".
///
/// Threads   const functions may run on several threads at once; set_credential() is
///           safe beside them.
class Provider {
public:
    virtual ~Provider() = default;

    /// "mailgun": label of metrics and logs. Lower case, stable across releases.
    [[nodiscard]] virtual std::string_view type() const noexcept = 0;
    [[nodiscard]] virtual Channel channel() const noexcept = 0;

    /// Most recipients of one request; at least 1.
    [[nodiscard]] virtual std::size_t batch_max() const noexcept = 0;

    /// What the vendor's own limit counts; `rate.per_second` is in this unit.
    [[nodiscard]] virtual RateUnit rate_unit() const noexcept { return RateUnit::requests; }

    /// Most SMS segments of one message; longer ones are not sent. 0: no limit.
    [[nodiscard]] virtual std::size_t segments_max() const noexcept { return 0; }

    /// True where requests go as streams of few HTTP/2 connections.
    [[nodiscard]] virtual bool uses_http2() const noexcept { return false; }

    /// True where requests are mails.
    [[nodiscard]] virtual bool uses_smtp() const noexcept { return false; }

    /// Writes the whole request. `out` is reused: keep its capacity, replace its content.
    virtual void compose(const Batch& batch, HttpRequest& out) const = 0;

    /// True where the vendor would refuse what was composed for its size, whoever it is for: it is
    /// not sent. For providers of one message a request.
    [[nodiscard]] virtual bool is_too_large(const Batch& /*batch*/,
                                            const HttpRequest& /*composed*/) const {
        return false;
    }

    /// Classifies an answer to a request that held `count` messages. Total: any bytes
    /// give a verdict, nothing throws. `now_unix` dates Retry-After and reset headers.
    [[nodiscard]] virtual BatchAnswer read(const HttpAnswer& answer, std::size_t count,
                                           std::int64_t now_unix) const = 0;

    /// How to fetch a fresh access token; nothing for providers with static keys.
    [[nodiscard]] virtual std::optional<CredentialExchange> credential_exchange(
        std::int64_t /*now_unix*/) const {
        return std::nullopt;
    }
    /// Reads the token endpoint's answer.
    [[nodiscard]] virtual Result<Credential> read_credential(const HttpAnswer& /*answer*/) const {
        return fail(Errc::credential_refused, "read a credential: this provider has none");
    }
    /// Replaces the access token used by compose().
    virtual void set_credential(std::string /*value*/) {}

    /// A request that changes and sends nothing, and whose answer proves that the provider takes
    /// the credentials: see proven_by(). Nothing where the vendor documents no such call. Where
    /// access tokens are fetched, fetching one is that call: see credential_exchange().
    [[nodiscard]] virtual std::optional<HttpRequest> harmless_call() const { return std::nullopt; }
    /// Total: any bytes give a proof. Only what a provider grants, or says of something else once
    /// it has taken the credentials, counts as well.
    [[nodiscard]] Proven proven_by(const HttpAnswer& answer) const;

    /// For credentials that are made here, not fetched: an answer with renew_credential came
    /// in, and what compose() signs from now on must be new (token age, clock difference).
    virtual void renew(const HttpAnswer& /*refusal*/) {}

protected:
    /// Of an answer that came: what its status says, where a vendor says no more.
    [[nodiscard]] virtual Proven read_proof(const HttpAnswer& answer) const;
};

/// What every compose() counts on: 1 to `most` messages, whose addresses were found sendable.
void ensure_composable(const Batch& batch, Channel channel, std::size_t most);

[[nodiscard]] HttpRequest get_request(std::string url, std::vector<std::string> headers);

/// Retry-After in seconds or as an HTTP date; at most one hour; 0 where absent or senseless.
[[nodiscard]] std::chrono::milliseconds parse_retry_after(std::string_view value,
                                                          std::int64_t now_unix);

}  // namespace fanfare
