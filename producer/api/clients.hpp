#pragma once

#include "core/clock/clock.hpp"
#include "core/ledger/api_jobs.hpp"
#include "core/observe/seldom.hpp"
#include "core/settings/settings.hpp"
#include "producer/http/exchange.hpp"
#include "producer/http/rate.hpp"

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fanfare::api {

/// Who calls, and what they see. Good for one call.
struct Caller {
    std::string client;
    std::string owner;  // The source of what they create.
    ledger::AccessFilter access;
    std::vector<std::string> systems;  // Empty: all.
    std::vector<std::string> sources;  // Of what is in sight; empty: all.
    bool owner_bound = false;          // Never acts for anybody but one owner.

    [[nodiscard]] bool may(std::string_view system) const;
    [[nodiscard]] bool sees(std::string_view source) const;
};

/// A client that has shown its token once, as a session knows it.
struct Identity {
    std::string client;
    std::string mark;  // Of its token, which it does not tell: with another token it is another.
    std::string owner;
    std::vector<std::string> systems;  // Empty: all.
    std::vector<Scope> scopes;

    [[nodiscard]] bool has(Scope scope) const;
};

/// The clients of the API. Tokens are kept as hashes only, and compared in a time that tells
/// nothing of them.
///
/// A client with an owner sees what is that owner's. One without sees its own, and what the
/// scheduler found in its systems; with the scope admin everything, or, with the header
/// Fanfare-Owner, what is that owner's.
///
/// Calls with a token that is none are counted, logged once a minute (never the token) and, beyond
/// ten and then one a second from one peer, answered a second late. Whose token is right is not
/// held up by others' guesses.
///
/// Threads   one.
class Clients {
public:
    Clients(const std::vector<ClientSettings>& clients, const Clock& clock,
            prometheus::Registry& registry);

    /// The caller, or the refusal: 401 without a known token, 403 without the scope, 429 beyond
    /// the client's rate.
    [[nodiscard]] std::variant<Caller, HttpReply> admit(const HttpCall& call, Scope scope);

    /// Whose token this is; 401 for a wrong one, which counts as a call with it does.
    [[nodiscard]] std::variant<Identity, HttpReply> identify(const HttpCall& call,
                                                             std::string_view token);
    /// Who was identified before, and has the same token still: 401 where that is over, 429 beyond
    /// the client's rate, of which this takes one.
    [[nodiscard]] std::variant<Identity, HttpReply> resume(std::string_view client,
                                                           std::string_view mark);
    /// As admit(), for a call made for somebody whom resume() knows.
    [[nodiscard]] std::variant<Caller, HttpReply> admit_known(std::string_view client, Scope scope);

private:
    struct Client {
        std::string hash;
        std::string name;
        std::vector<Scope> scopes;
        std::vector<std::string> systems;
        std::string owner;
        Rate rate;
        [[nodiscard]] bool has(Scope scope) const;
        [[nodiscard]] Identity identity() const;
    };
    [[nodiscard]] Client* find(std::string_view token);
    [[nodiscard]] Client* find_named(std::string_view name);
    [[nodiscard]] HttpReply wrong_token(const HttpCall& call);
    [[nodiscard]] static Caller to_caller(const Client& client, std::string_view acting);

    const Clock& clock_;
    std::vector<Client> clients_;
    Rates guesses_;
    prometheus::Counter* wrong_tokens_;
    Seldom warning_;
};

/// The header Idempotency-Key; "" where there is none. 400 where it cannot be one.
[[nodiscard]] std::variant<std::string, HttpReply> read_idempotency_key(const HttpCall& call);
inline constexpr std::size_t key_bytes_max = 128;

}  // namespace fanfare::api
