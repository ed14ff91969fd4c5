#include "producer/api/clients.hpp"

#include "core/crypto/digest.hpp"
#include "producer/api/plain.hpp"
#include "producer/api/reply.hpp"
#include "producer/http/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare::api {
namespace {

std::string hash_of(std::string_view token) { return digest_of(Digest::sha256, token); }

std::string literal_of(const std::vector<std::string>& texts) {
    return texts.empty() ? std::string{} : postgres::array_of(texts);
}

/// What follows "Bearer "; nothing for any other header.
std::string_view token_of(const HttpCall& call) {
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

bool Clients::Client::has(Scope scope) const {
    return std::any_of(scopes.begin(), scopes.end(),
                       [&](Scope each) { return each == scope || each == Scope::admin; });
}

bool Clients::Client::take(Moment now) {
    const std::chrono::duration<double> since = now - as_of;
    calls_left = std::min(per_second, calls_left + since.count() * per_second);
    as_of = now;
    if (calls_left < 1) return false;
    calls_left -= 1;
    return true;
}

Clients::Clients(const std::vector<ClientSettings>& clients, const Clock& clock) : clock_{clock} {
    for (const auto& each : clients) {
        clients_.push_back({.hash = hash_of(each.token.reveal()),
                            .name = each.name,
                            .scopes = each.scopes,
                            .systems = each.systems,
                            .owner = each.owner,
                            .per_second = static_cast<double>(each.per_second),
                            .calls_left = static_cast<double>(each.per_second),
                            .as_of = clock.moment()});
    }
}

Clients::Client* Clients::find(std::string_view token) {
    const auto hash = hash_of(token);
    Client* found = nullptr;
    // All of them are compared, so that the time does not tell which one it is.
    for (auto& client : clients_) {
        if (same_secret(client.hash, hash)) found = &client;
    }
    return found;
}

std::variant<Caller, HttpReply> Clients::admit(const HttpCall& call, Scope scope) {
    const auto token = token_of(call);
    auto* const client = token.empty() ? nullptr : find(token);
    if (client == nullptr) return unknown_token();
    if (!client->take(clock_.moment())) return too_many();
    if (!client->has(scope)) {
        return refusal(
            403, "scope_missing",
            fmt::format("The client {} lacks the scope {}.", client->name, to_string(scope)));
    }
    Caller caller{.client = client->name,
                  .owner = client->owner,
                  .sight = {},
                  .systems = client->systems,
                  .sources = {},
                  .owner_bound = !client->owner.empty()};
    const auto acting = trimmed(call.header("fanfare-owner"));
    if (!acting.empty() && acting != client->owner) {
        if (!client->has(Scope::admin)) {
            return refusal(403, "owner_denied",
                           "Only a client with the scope admin acts for others.");
        }
        if (!is_plain(acting, ClientSettings::owner_bytes_max)) {
            return refusal(400, "invalid_owner", "Fanfare-Owner is 1 to 60 bytes of plain text.");
        }
        caller.owner = acting;
    }
    const bool sees_all = caller.owner.empty() && client->has(Scope::admin);
    std::vector<std::string> sources;
    if (!caller.owner.empty()) {
        sources = {caller.owner};
    } else if (!sees_all) {
        sources = {client->name, "scheduler"};
    }
    if (caller.owner.empty()) caller.owner = client->name;
    caller.sight = {literal_of(client->systems), literal_of(sources)};
    caller.sources = std::move(sources);
    return caller;
}

std::variant<std::string, HttpReply> idempotency_key_of(const HttpCall& call) {
    const auto key = trimmed(call.header("idempotency-key"));
    if (key.empty() || is_plain(key, key_bytes_max)) return std::string{key};
    return refusal(400, "invalid_key", "Idempotency-Key is 1 to 128 bytes of plain text.");
}

}  // namespace fanfare::api
