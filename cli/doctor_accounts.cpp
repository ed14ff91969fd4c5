// The part of `fanfare doctor` that asks providers and workers about accounts.
#include "cli/doctor_checks.hpp"
#include "cli/finding.hpp"
#include "core/http/client.hpp"
#include "core/ledger/account_states.hpp"
#include "core/providers/registry.hpp"

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <future>
#include <vector>

namespace fanfare::cli {
namespace {

HttpAnswer answer_to(const AccountSettings& account, const HttpRequest& request) {
    boost::asio::io_context loop{1};
    const auto http = HttpClient::create(loop.get_executor(), {.timeout = account.timeout,
                                                               .connections_max = 1,
                                                               .ca_file = account.ca_file,
                                                               .allow_http = account.allow_http});
    HttpAnswer answer;
    http->start(request, [&](HttpAnswer got) {
        answer = std::move(got);
        loop.stop();
    });
    loop.run();
    return answer;
}

bool is_busy(int status) { return status == 429 || status / 100 == 5; }

Finding of_credentials(const AccountSettings& account, const Settings& settings) {
    auto what = fmt::format("account {}", account.name);
    auto made = make_provider(account, {.callback_url = settings.callback_url});
    const auto* const provider = std::get_if<std::unique_ptr<Provider>>(&made);
    if (provider == nullptr) return {"note", std::move(what), "is not asked: see above", ""};
    const auto now = std::chrono::floor<std::chrono::seconds>(system_clock().now());
    if (const auto exchange = (*provider)->credential_exchange(now.time_since_epoch().count())) {
        const auto answer = answer_to(account, exchange->request);
        const auto credential = (*provider)->read_credential(answer);
        if (credential) return {"ok", std::move(what), account.type + " gives a token", ""};
        // Out of reach, or busy with itself: that says nothing of the secrets.
        if (answer.transport != Transport::answered || is_busy(answer.status)) {
            return of_proof(account, (*provider)->proven_by(answer));
        }
        return {"error", std::move(what), to_sentence(credential.error()),
                remedy_for_secrets(account)};
    }
    if (const auto request = (*provider)->harmless_call()) {
        return of_proof(account, (*provider)->proven_by(answer_to(account, *request)));
    }
    return {"note", std::move(what),
            account.type + " tells nothing to such credentials unless something is sent: not asked",
            ""};
}

void of_limits(const AccountSettings& account, Findings& findings) {
    if (account.rate.per_second > 0) return;
    findings.push_back({"note", fmt::format("account {}", account.name),
                        "has no limit: only the provider's own refusals slow it down",
                        fmt::format("set rate.per_second of account {} in {}:{}", account.name,
                                    account.file, account.line)});
}

/// What workers and operators say of it.
void of_state(const ledger::AccountState& state, Findings& findings) {
    const auto what = fmt::format("account {}", state.account);
    if (state.by_hand > 0) {
        findings.push_back(
            {"note", what,
             fmt::format("{} a second, set by {} at {}", state.by_hand, state.set_by, state.set_at),
             fmt::format("fanfare accounts set {} --clear", state.account)});
    }
    const auto health = ledger::find_health(state, false);
    if (health == "ok" || health == "unused" || health == "recovering") return;
    findings.push_back({"warning", what,
                        fmt::format("is {} until {}; its last error: {}", health,
                                    std::max(state.blocked_until, state.shut_until),
                                    state.last_error.empty() ? "(none)" : state.last_error),
                        fmt::format("fanfare pause --account {} --because TEXT  (if it is to stop)",
                                    state.account)});
}

}  // namespace

void look_at_accounts(const Settings& settings, Findings& findings) {
    // All at once: one that hangs costs no more than its own timeout.
    std::vector<std::future<Finding>> asked;
    for (const auto& account : settings.accounts) {
        asked.push_back(std::async(std::launch::async, of_credentials, std::cref(account),
                                   std::cref(settings)));
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
        findings.push_back(asked[i].get());
        of_limits(settings.accounts[i], findings);
    }
    Ledger ledger{settings};
    try {
        const auto states = ledger.attempt("look at accounts", [](auto& connection) {
            return ledger::account_states(connection);
        });
        if (!states) return;
        for (const auto& state : states.value()) of_state(state, findings);
    } catch (const Stop&) {
        // A ledger that does not fit is told of already.
    }
}

}  // namespace fanfare::cli
