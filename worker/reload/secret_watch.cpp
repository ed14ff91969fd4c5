#include "worker/reload/secret_watch.hpp"

#include "core/async/task_group.hpp"
#include "core/clock/timer.hpp"
#include "core/providers/registry.hpp"

#include <spdlog/spdlog.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <csignal>
#include <tuple>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::seconds look_at_secrets{2};

bool same(const std::map<std::string, Secret>& a, const std::map<std::string, Secret>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.first == y.first && x.second.reveal() == y.second.reveal();
    });
}

}  // namespace

SecretWatch::SecretWatch(const Settings& settings, AccountSelector& selector,
                         ProviderContext context, const asio::any_io_executor& executor)
    : file_{settings.file},
      watched_{file_},
      selector_{selector},
      context_{std::move(context)},
      hang_up_{executor, SIGHUP} {
    for (const auto& account : settings.accounts) {
        secrets_[account.name] = account.secrets;
        watched_.insert(watched_.end(), account.secret_files.begin(), account.secret_files.end());
    }
    seen_ = times();
}

asio::awaitable<void> SecretWatch::run() {
    while (!stopping_) {
        co_await pause_to_beat(look_at_secrets);
        look();
    }
}

asio::awaitable<void> SecretWatch::hear() {
    while (!stopping_) {
        boost::system::error_code stopped;
        auto token = asio::redirect_error(asio::use_awaitable, stopped);
        co_await hang_up_.async_wait(token);
        if (stopped) continue;
        spdlog::info("SIGHUP: {} is read again", file_.string());
        seen_ = times();
        reload();
    }
}

void SecretWatch::stop() {
    stopping_ = true;
    hang_up_.cancel();
}

SecretWatch::Times SecretWatch::times() const {
    Times times;
    for (const auto& path : watched_) {
        std::error_code ignored;
        times[path] = std::filesystem::last_write_time(path, ignored);
    }
    return times;
}

bool SecretWatch::look() {
    auto now = times();
    if (now == seen_) return false;
    seen_ = std::move(now);
    return reload();
}

bool SecretWatch::reload() {
    auto loaded = load_settings(file_, process_environment());
    if (const auto* const problems = std::get_if<Problems>(&loaded)) {
        for (const auto& problem : *problems) {
            spdlog::error("the settings are not read again: {}", describe(problem));
        }
        return false;
    }
    bool any = false;
    for (const auto& settings : std::get<Settings>(loaded).accounts) {
        Account* const account = selector_.find(settings.name);
        if (account == nullptr) {
            spdlog::warn("account {} is new: it needs a restart", settings.name);
        } else if (take(settings, *account)) {
            any = true;
        }
    }
    return any;
}

/// True when something of the account is another now.
bool SecretWatch::take(const AccountSettings& settings, Account& account) {
    bool any = false;
    const auto& own = account.settings();
    const auto limits = [](const AccountSettings& each) {
        return std::tuple{each.rate.per_second, each.rate.concurrency, each.weight};
    };
    if (limits(own) != limits(settings)) {
        account.set_limits(settings);
        spdlog::info("account {}: {} a second, {} requests at once, weight {} from now on",
                     settings.name, own.rate.per_second, own.rate.concurrency, own.weight);
        any = true;
    }
    auto& known = secrets_[settings.name];
    if (same(known, settings.secrets)) return any;
    auto made = make_provider(settings, context_);
    if (const auto* const problems = std::get_if<Problems>(&made)) {
        for (const auto& problem : *problems) {
            spdlog::error("account {} keeps its secrets: {}", settings.name, describe(problem));
        }
        return any;
    }
    account.reload(std::move(std::get<std::unique_ptr<Provider>>(made)));
    known = settings.secrets;
    return true;
}

}  // namespace fanfare
