#include "producer/api/clients.hpp"

#include "core/crypto/digest.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/text_validation.hpp"
#include "producer/http/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare::api {
namespace {

constexpr double guesses_per_second = 1;
constexpr double guesses_at_once = 10;
constexpr std::chrono::seconds guess_held{1};

std::string hash_token(std::string_view token) { return compute_digest(Digest::sha256, token); }

std::string to_array_literal(const std::vector<std::string>& texts) {
    return texts.empty() ? std::string{} : postgres::to_array_literal(texts);
}

/// What follows "Bearer "; nothing for any other header.
std::string_view find_token(const HttpCall& call) {
    constexpr std::string_view scheme{"Bearer "};
    const auto header = trimmed(call.header("authorization"));
    if (header.size() <= scheme.size() || !same_word(header.substr(0, scheme.size()), scheme)) {
        return {};
    }
    return trimmed(header.substr(scheme.size()));
}

HttpReply unknown_token() {
    auto reply = refusal(401, "unauthorized", "Send a known token: Authorization: Bearer <token>.");
    reply.headers.emplace_back("WWW-Authenticate", "Bearer");
    return reply;
}

HttpReply scope_missing(std::string_view client, Scope scope) {
    return refusal(403, "scope_missing",
                   fmt::format("The client {} lacks the scope {}.", client, to_string(scope)));
}

bool includes(const std::vector<Scope>& scopes, Scope scope) {
    return std::any_of(scopes.begin(), scopes.end(),
                       [scope](Scope each) { return each == scope || each == Scope::admin; });
}

HttpReply too_many() {
    auto reply = refusal(429, "too_many_requests", "This client calls too often; wait a second.");
    reply.headers.emplace_back("Retry-After", "1");
    return reply;
}

}  // namespace

bool Caller::may(std::string_view system) const {
    return systems.empty() || std::find(systems.begin(), systems.end(), system) != systems.end();
}

bool Caller::sees(std::string_view source) const {
    return sources.empty() || std::find(sources.begin(), sources.end(), source) != sources.end();
}

bool Identity::has(Scope scope) const { return includes(scopes, scope); }

bool Clients::Client::has(Scope scope) const { return includes(scopes, scope); }

Identity Clients::Client::identity() const {
    return {.client = name,
            .mark = hex(compute_digest(Digest::sha256, "mark of " + hash)),
            .owner = owner,
            .systems = systems,
            .scopes = scopes};
}

Clients::Clients(const std::vector<ClientSettings>& clients, const Clock& clock,
                 prometheus::Registry& registry)
    : clock_{clock},
      guesses_{guesses_per_second, guesses_at_once},
      warning_{"calls of the API with a wrong token", clock} {
    wrong_tokens_ = &prometheus::BuildCounter()
                         .Name("fanfare_api_wrong_tokens_total")
                         .Help("Calls of the API with a token that is none")
                         .Register(registry)
                         .Add({});
    for (const auto& each : clients) {
        clients_.push_back({.hash = hash_token(each.token.reveal()),
                            .name = each.name,
                            .scopes = each.scopes,
                            .systems = each.systems,
                            .owner = each.owner,
                            .rate = Rate{static_cast<double>(each.per_second)}});
    }
}

Clients::Client* Clients::find(std::string_view token) {
    const auto hash = hash_token(token);
    Client* found = nullptr;
    // All of them are compared, so that the time does not tell which one it is.
    for (auto& client : clients_) {
        if (same_secret(client.hash, hash)) found = &client;
    }
    return found;
}

HttpReply Clients::wrong_token(const HttpCall& call) {
    const auto now = clock_.steady_now();
    wrong_tokens_->Increment();
    warning_.warn(fmt::format("a call of the API with a wrong token, from {}", call.peer));
    auto reply = unknown_token();
    if (!guesses_.take(call.peer, now)) reply.hold = guess_held;
    return reply;
}

std::variant<Caller, HttpReply> Clients::admit(const HttpCall& call, Scope scope) {
    const auto token = find_token(call);
    if (token.empty()) return unknown_token();
    auto* const client = find(token);
    if (client == nullptr) return wrong_token(call);
    if (!client->rate.take(clock_.steady_now())) return too_many();
    if (!client->has(scope)) return scope_missing(client->name, scope);
    const auto acting = trimmed(call.header("fanfare-owner"));
    // Empty it is somebody's variable that was not set: never "for nobody in particular".
    if (call.has_header("fanfare-owner") && (acting.empty() || acting != client->owner)) {
        if (!client->has(Scope::admin)) {
            return refusal(403, "owner_denied",
                           "Only a client with the scope admin acts for others.");
        }
        if (!is_plain(acting, ClientSettings::owner_bytes_max)) {
            return refusal(400, "invalid_owner", "Fanfare-Owner is 1 to 60 bytes of plain text.");
        }
    }
    return to_caller(*client, acting);
}

/// `acting`: the owner that it acts for; "" for itself.
Caller Clients::to_caller(const Client& client, std::string_view acting) {
    Caller caller{.client = client.name,
                  .owner = acting.empty() ? client.owner : std::string{acting},
                  .access = {},
                  .systems = client.systems,
                  .sources = {},
                  .owner_bound = !client.owner.empty()};
    const bool sees_all = caller.owner.empty() && client.has(Scope::admin);
    std::vector<std::string> sources;
    if (!caller.owner.empty()) {
        sources = {caller.owner};
    } else if (!sees_all) {
        sources = {client.name, "scheduler"};
    }
    if (caller.owner.empty()) caller.owner = client.name;
    caller.access = {to_array_literal(client.systems), to_array_literal(sources)};
    caller.sources = std::move(sources);
    return caller;
}

std::variant<Identity, HttpReply> Clients::identify(const HttpCall& call, std::string_view token) {
    const auto* const client = find(trimmed(token));
    if (client == nullptr) return wrong_token(call);
    return client->identity();
}

std::variant<Identity, HttpReply> Clients::resume(std::string_view client, std::string_view mark) {
    auto* const found = find_named(client);
    if (found == nullptr) return unknown_token();
    auto identity = found->identity();
    if (!same_secret(identity.mark, mark)) return unknown_token();
    if (!found->rate.take(clock_.steady_now())) return too_many();
    return identity;
}

std::variant<Caller, HttpReply> Clients::admit_known(std::string_view client, Scope scope) {
    const auto* const found = find_named(client);
    if (found == nullptr) return unknown_token();
    if (!found->has(scope)) return scope_missing(found->name, scope);
    return to_caller(*found, {});
}

Clients::Client* Clients::find_named(std::string_view name) {
    const auto own = [name](const auto& client) { return client.name == name; };
    const auto found = std::find_if(clients_.begin(), clients_.end(), own);
    return found == clients_.end() ? nullptr : &*found;
}

std::variant<std::string, HttpReply> read_idempotency_key(const HttpCall& call) {
    const auto key = trimmed(call.header("idempotency-key"));
    if (!call.has_header("idempotency-key") || is_plain(key, key_bytes_max)) {
        return std::string{key};
    }
    return refusal(400, "invalid_key", "Idempotency-Key is 1 to 128 bytes of plain text.");
}

}  // namespace fanfare::api
