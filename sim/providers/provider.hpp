#pragma once

#include "sim/http/message.hpp"
#include "sim/webhooks/delivery.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::sim {

/// Credentials and manners that a provider checks against. Defaults are the demo's.
struct ProviderOptions {
    std::string mailgun_key = "key-0123456789abcdef0123456789abcdef";
    std::string mailgun_domain;  // "": any.
    std::string twilio_sid = "AC00000000000000000000000000000001";
    std::string twilio_token = "0123456789abcdef0123456789abcdef";
    bool twilio_test_credentials = false;  // Magic numbers.
    std::string fcm_project;               // "": any.
    std::string fcm_public_key;            // PEM; "": any well-formed assertion.
    std::uint32_t fcm_token_lifetime_s = 3'600;
    std::string vonage_key = "abcd1234";
    std::string vonage_secret = "0123456789abcdef";
    std::string vonage_signature_secret = "0123456789abcdef0123456789abcdef0123";
    std::string vonage_public_key;  // PEM; "": any well-formed token.
    std::string apns_topic;         // "": any.
    std::string apns_public_key;    // PEM; "": any well-formed token.
    std::string sendgrid_key = "SG.0123456789abcdef0123456789abcdef";
    std::string ses_access_key = "AKIDEXAMPLE";
    std::string ses_secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    std::string ses_region;  // "": any.
};

/// What a check may look at besides the request.
struct CheckContext {
    std::int64_t now_s = 0;              // Unix seconds.
    std::uint64_t number = 0;            // Unique among requests: ids are made of it.
    std::uint32_t token_generation = 0;  // Faults::token_generation
};

/// A recipient that always fails, of a call that may hold others.
struct Refused {
    std::uint32_t place;    // In the call; see Checked::places.
    std::string_view code;  // Provider's own, from fail_addresses; "": its default.
};

/// Everything a check found out. Kept and cleared by its owner so that memory is used again.
struct Checked {
    enum class Kind : std::uint8_t {
        message,  // Well formed: `answer` is what the provider says when it takes it.
        other,    // A good answer that sends nothing (a token, a dry run).
        bad,      // `answer` is the refusal of a malformed or unauthorised request.
    };

    Kind kind = Kind::bad;
    Answer answer;
    std::string_view reference;                // "<job>.<chunk>", "" when absent.
    std::vector<std::string_view> recipients;  // Each gets a message; distinct at Mailgun.
    std::vector<std::uint32_t> places;         // Of each in the call; empty: as in `recipients`.
    bool refused = false;                      // Bad only because of its recipient.
    bool leak = false;                         // Recipients see each other.
    bool taken = false;                        // Accepted and recorded; ProviderHandler says so.
    std::uint32_t unfilled = 0;                // Recipients without variables of their own.

    // Working memory of the check. Views above may point into it or into the request.
    std::string arena;
    std::vector<Field> fields;
    std::vector<std::uint64_t> table;
    std::vector<Refused> refusals;  // Of recipients; filled by ProviderHandler.

    void clear();
    [[nodiscard]] std::uint32_t to_place(std::size_t recipient) const {
        return places.empty() ? static_cast<std::uint32_t>(recipient) : places[recipient];
    }
    /// Copies into the arena; room must have been reserved.
    [[nodiscard]] std::string_view keep(std::string_view text);
};

/// A passing or permanent trouble that the simulator was told to make.
struct Trouble {
    enum class Kind : std::uint8_t { refuse, throttle, concurrency, error };
    Kind kind;
    std::string_view recipient;  // The one refused.
    std::string_view code;       // Provider's own, from fail_addresses; "": its default.
    std::int64_t now_s = 0;
    std::uint32_t retry_after_s = 0;
    int status = 0;  // Of an error; 0: its usual one.
    std::uint32_t concurrent = 0;
    std::string_view path = {};             // Of the request.
    std::span<const Refused> refused = {};  // All of them; never empty with Kind::refuse.
};

/// One provider's API, without I/O and without memory of its own.
///
/// Threads   const: called from all at once.
class SimulatedProvider {
public:
    virtual ~SimulatedProvider() = default;
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
    /// Whether a path is this provider's.
    [[nodiscard]] virtual bool owns(std::string_view path) const noexcept = 0;
    /// Checks as strictly as the real one.
    virtual void check(const Request& request, const CheckContext& context,
                       Checked& checked) const = 0;
    /// Whether it takes the others of a call in which some recipients are refused.
    [[nodiscard]] virtual bool refuses_singly() const noexcept { return false; }
    /// Words a trouble as the real one does. Where it refuses singly `answer` holds what it
    /// would have said to a good call; else it is empty.
    virtual void refuse(const Trouble& trouble, Answer& answer) const = 0;
    /// Appends what events of an accepted request will say, one delivery for each of these of its
    /// recipients: those that were refused are not among them. `context` is that of check(), so
    /// that ids agree with the answer. Default: no events.
    virtual void describe(const Request& request, const CheckContext& context,
                          std::span<const std::string_view> recipients,
                          std::vector<Delivery>& out) const;
    /// What that person gets to see of a request that was accepted; nothing if not addressed.
    [[nodiscard]] virtual std::optional<boost::json::object> render(
        const Request& request, std::string_view address) const = 0;
};

using Providers = std::vector<std::unique_ptr<SimulatedProvider>>;

/// All providers, in the order of their index. A new one is one line there.
[[nodiscard]] Providers make_providers(const ProviderOptions& options);

}  // namespace fanfare::sim
