#include "worker/reload/secret_watch.hpp"

#include "core/async/task_group.hpp"
#include "worker/providers/registry.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::seconds interval{2};

bool same(const std::map<std::string, Secret>& a, const std::map<std::string, Secret>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.first == y.first && x.second.reveal() == y.second.reveal();
    });
}

}  // namespace

SecretWatch::SecretWatch(const Settings& settings, Roster& roster, ProviderContext context)
    : file_{settings.file}, roster_{roster}, context_{std::move(context)} {
    for (const auto& account : settings.accounts) {
        secrets_[account.name] = account.secrets;
        watched_.insert(watched_.end(), account.secret_files.begin(), account.secret_files.end());
    }
    seen_ = times();
}

asio::awaitable<void> SecretWatch::run() {
    while (!stopping_ && !watched_.empty()) {
        co_await pause_for(interval);
        look();
    }
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
            spdlog::error("secrets are not reloaded: {}", describe(problem));
        }
        return false;
    }
    bool any = false;
    for (const auto& settings : std::get<Settings>(loaded).accounts) {
        Account* const account = roster_.find(settings.name);
        auto& known = secrets_[settings.name];
        if (account == nullptr || same(known, settings.secrets)) continue;
        auto made = make_provider(settings, context_);
        if (const auto* const problems = std::get_if<Problems>(&made)) {
            for (const auto& problem : *problems) {
                spdlog::error("account {} keeps its secrets: {}", settings.name, describe(problem));
            }
            continue;
        }
        account->reload(std::move(std::get<std::unique_ptr<Provider>>(made)));
        known = settings.secrets;
        any = true;
    }
    return any;
}

}  // namespace fanfare
