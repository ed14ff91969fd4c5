#include "worker/send/accounts.hpp"

#include "core/providers/registry.hpp"

namespace fanfare {

Result<std::vector<std::unique_ptr<Account>>> open_accounts(
    const Settings& settings, const ProviderContext& context,
    const boost::asio::any_io_executor& executor, const AccountDevices& devices) {
    std::vector<std::unique_ptr<Account>> accounts;
    for (const auto& account : settings.accounts) {
        auto made = make_provider(account, context);
        if (const auto* problems = std::get_if<Problems>(&made)) {
            std::string all;
            for (const auto& problem : *problems) all += describe(problem) + "\n";
            return fail(Errc::config_invalid, "set up account " + account.name + ":\n" + all);
        }
        accounts.push_back(std::make_unique<Account>(
            executor,
            Account::Parts{.settings = account,
                           .provider = std::move(std::get<std::unique_ptr<Provider>>(made)),
                           .bucket = devices.bucket,
                           .clock = devices.clock,
                           .probe = devices.probe.account(account.name, account.channel)}));
        accounts.back()->show();
    }
    return accounts;
}

}  // namespace fanfare
