#include "producer/api/accounts.hpp"

#include "core/ledger/account_states.hpp"
#include "core/ledger/pauses.hpp"
#include "producer/api/fields.hpp"
#include "producer/api/reply.hpp"

#include <spdlog/spdlog.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
constexpr double rate_min = 0.01;
constexpr double rate_max = 1'000'000;

struct Fleet {
    std::vector<ledger::AccountState> states;
    std::vector<ledger::PauseLine> pauses;
};

Fleet read_fleet(postgres::Connection& ledger) {
    return {ledger::account_states(ledger), ledger::list_pauses(ledger)};
}

std::optional<HttpReply> denied_accounts(const Caller& caller) {
    if (!caller.owner_bound && caller.systems.empty()) return std::nullopt;
    return refusal(403, "owner_denied", "Accounts serve every owner and every system.");
}

json::object row_to_json(const AccountSettings& account, const Fleet& fleet) {
    const auto own = [&](const auto& state) { return state.account == account.name; };
    const auto found = std::find_if(fleet.states.begin(), fleet.states.end(), own);
    const auto state = found == fleet.states.end() ? ledger::AccountState{} : *found;
    const bool paused =
        ledger::hold_account(fleet.pauses, account.name, to_string(account.channel));
    const bool by_hand = state.by_hand > 0;
    return {{"name", account.name},
            {"channel", text(to_string(account.channel))},
            {"type", account.type},
            {"health", text(ledger::find_health(state, paused))},
            {"weight", account.weight},
            {"rate", by_hand ? state.by_hand : account.rate.per_second},
            {"rate_set_by", text_or_null(state.set_by)},
            {"rate_set_at", text_or_null(state.set_at)},
            {"used", state.per_second},
            {"breaker", text_or_null(state.breaker)},
            {"blocked_until", text_or_null(std::max(state.blocked_until, state.shut_until))},
            {"last_error", text_or_null(state.last_error)},
            {"last_error_at", text_or_null(state.last_error_at)}};
}

asio::awaitable<HttpReply> list_accounts(const ApiContext& parts, const Caller& caller) {
    if (auto denial = denied_accounts(caller)) co_return std::move(*denial);
    std::string doing{"look at accounts"};
    // No bare function: GCC 14 dies of a coroutine whose template names a type of this file alone.
    const auto look = [](postgres::Connection& ledger) { return read_fleet(ledger); };
    const auto fleet = co_await parts.reading.run(std::move(doing), look);
    if (!fleet) co_return unavailable(fleet.error());
    json::array accounts;
    for (const auto& account : parts.settings.accounts) {
        accounts.push_back(row_to_json(account, fleet.value()));
    }
    const json::object document{{"accounts", std::move(accounts)}};
    co_return reply_with(200, document);
}

/// `rate` 0 takes back what was set.
asio::awaitable<HttpReply> set(const ApiContext& parts, const Caller& caller,
                               const AccountSettings& account, double rate) {
    auto work = [&](postgres::Connection& ledger) {
        if (rate > 0) {
            ledger::set_rate(ledger, account.name, rate, caller.client);
        } else {
            ledger::clear_rate(ledger, account.name);
        }
        return read_fleet(ledger);
    };
    std::string doing{"set a rate"};
    const auto fleet = co_await parts.ledger.run(std::move(doing), work);
    if (!fleet) co_return unavailable(fleet.error());
    spdlog::info("{} sets the rate of account {}", caller.client, account.name);
    const auto document = row_to_json(account, fleet.value());
    co_return reply_with(200, document);
}

asio::awaitable<HttpReply> change(const ApiContext& parts, const HttpCall& call,
                                  const Caller& caller, bool takes_back) {
    if (auto denial = denied_accounts(caller)) co_return std::move(*denial);
    const auto* const account = find_account(parts.settings, call.param("name"));
    if (account == nullptr) co_return nothing_here("account");
    std::optional<double> rate = 0;
    if (!takes_back) {
        Fields fields{call.body, {"per_second"}};
        rate = fields.real_if_there("per_second", rate_min, rate_max);
        if (auto fault = fields.fault()) co_return std::move(*fault);
        if (!rate) co_return refusal(422, "missing_value", "/per_second: send a number");
    }
    co_return co_await set(parts, caller, *account, *rate);
}

}  // namespace

const AccountSettings* find_account(const Settings& settings, std::string_view name) {
    const auto own = [name](const auto& account) { return account.name == name; };
    const auto found = std::find_if(settings.accounts.begin(), settings.accounts.end(), own);
    return found == settings.accounts.end() ? nullptr : &*found;
}

void add_account_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    routes.get("/v1/accounts", Scope::read, [&parts](const HttpCall&, const Caller& caller) {
        return list_accounts(parts, caller);
    });
    const auto changes = [&parts](bool takes_back) {
        return [&parts, takes_back](const HttpCall& call, const Caller& caller) {
            return change(parts, call, caller, takes_back);
        };
    };
    constexpr std::string_view one = "/v1/accounts/{name}/rate";
    routes.post(one, Scope::operate, changes(false), Job::bytes_max, "PUT");
    routes.post(one, Scope::operate, changes(true), Job::bytes_max, "DELETE");
}

}  // namespace fanfare::api
