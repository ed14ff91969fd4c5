// accounts: how the providers' accounts are, and rates that somebody sets by hand.
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "core/ledger/account_states.hpp"
#include "core/ledger/pauses.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare::cli {
namespace {

struct SetOptions {
    std::string account;
    double rate = 0;
    bool clear = false;
};

Record to_record(const AccountSettings& settings, const ledger::AccountState& state, bool paused) {
    const double rate = state.by_hand > 0 ? state.by_hand : settings.rate.per_second;
    return {{"account", settings.name},
            {"channel", std::string{to_string(settings.channel)}},
            {"type", settings.type},
            {"health", std::string{ledger::find_health(state, paused)}},
            {"weight", std::int64_t{settings.weight}},
            {"rate", rate},
            {"rate_set_by", state.set_by},
            {"used", state.per_second},
            {"breaker", state.breaker},
            {"blocked_until", std::max(state.blocked_until, state.shut_until)},
            {"last_error", state.last_error},
            {"last_error_at", state.last_error_at}};
}

int list(const Globals& globals) {
    const auto settings = load_settings_or_stop(globals);
    Ledger ledger{settings};
    const auto [states, pauses] = ledger.run("look at accounts", [](auto& connection) {
        return std::pair{ledger::account_states(connection), ledger::list_pauses(connection)};
    });
    std::vector<Record> records;
    for (const auto& account : settings.accounts) {
        const auto own = [&](const auto& state) { return state.account == account.name; };
        const auto state = std::find_if(states.begin(), states.end(), own);
        const bool paused = ledger::hold_account(pauses, account.name, to_string(account.channel));
        records.push_back(
            to_record(account, state == states.end() ? ledger::AccountState{} : *state, paused));
    }
    print(records, globals.json, "no accounts are configured");
    return exit_ok;
}

int set(const Globals& globals, const SetOptions& options) {
    const auto settings = load_settings_or_stop(globals);
    const auto& account = account_or_stop(settings, options.account);
    if (options.clear == (options.rate > 0)) {
        throw Stop{
            exit_usage, "give --rate N, or --clear to take it back",
            "to send nothing at all: fanfare pause --account " + account.name + " --because TEXT"};
    }
    Ledger ledger{settings};
    ledger.run("set a rate", [&](auto& connection) {
        if (options.clear) return ledger::clear_rate(connection, account.name);
        ledger::set_rate(connection, account.name, options.rate, somebody());
        return true;
    });
    const double rate = options.clear ? account.rate.per_second : options.rate;
    print({{{"account", account.name}, {"rate", rate}, {"by_hand", !options.clear}}}, globals.json,
          "");
    return exit_ok;
}

}  // namespace

void add_accounts(const Command& app, Globals& globals) {
    const auto command = app.command(
        "accounts", "How the providers' accounts are: health, rate, use, what went wrong last");
    choose(command, globals, [&globals] { return list(globals); });
    const auto change = command.command("set", "Another rate, until it is taken back");
    auto o = std::make_shared<SetOptions>();
    change.option("account", o->account, "Its name in the settings").required();
    const auto rate = change
                          .option("--rate", o->rate,
                                  "So many a second, in the provider's unit, all workers together")
                          .within(0.01, 1'000'000.0);
    change.flag("--clear", o->clear, "The settings' rate again").excludes(rate);
    choose(change, globals, [&globals, o] { return set(globals, *o); });
}

}  // namespace fanfare::cli
