#include "worker/send/account_watch.hpp"

#include "core/async/task_group.hpp"
#include "core/clock/timer.hpp"

#include <spdlog/spdlog.h>

#include <cmath>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::milliseconds look_at_accounts{500};
constexpr int looks_per_word = 10;

std::string_view to_word(Breaker::State state) {
    switch (state) {
        case Breaker::State::closed:
            return "closed";
        case Breaker::State::half_open:
            return "half_open";
        case Breaker::State::open:
            break;
    }
    return "open";
}

/// A row that says how long is written anew while it lasts, and so is a rate that is in use.
bool is_news(const ledger::AccountHealth& now, const ledger::AccountHealth& before) {
    return now.breaker != before.breaker || now.last_error_at != before.last_error_at ||
           now.shut_for.count() > 0 || before.shut_for.count() > 0 || now.per_second > 0 ||
           before.per_second > 0;
}

}  // namespace

asio::awaitable<void> AccountWatch::run() {
    for (int looks = 1; !stopping_; ++looks) {
        co_await pause_to_beat(look_at_accounts);
        co_await look();
        for (const auto& account : parts_.selector.all()) account->show();
        if (looks % looks_per_word == 0) co_await tell();
    }
}

asio::awaitable<void> AccountWatch::look() {
    auto state = co_await parts_.store.read();
    if (!state) {
        spdlog::debug("{}", describe(state.error()));
        co_return;
    }
    obey(std::move(state.value()));
}

void AccountWatch::obey(ledger::FleetState state) {
    for (const auto& [name, left] : state.blocked) {
        if (Account* const account = parts_.selector.find(name)) account->pacer().hold(left);
    }
    for (const auto& account : parts_.selector.all()) {
        const auto set = state.rates.find(account->settings().name);
        if (set == state.rates.end()) {
            account->set_rate_by_hand(std::nullopt);
        } else {
            account->set_rate_by_hand(set->second);
        }
    }
    const auto count = state.paused.size();
    if (!parts_.pauses.learn(std::move(state.paused))) return;
    spdlog::info("{} pauses are in force", count);
    for (const auto& account : parts_.selector.all()) {
        const auto& settings = account->settings();
        account->set_held(parts_.pauses.holds(settings.channel, settings.name));
    }
    for (const auto channel : channels) {
        parts_.dispatcher.set_paused(channel, parts_.pauses.holds(channel));
    }
}

std::vector<ledger::AccountHealth> AccountWatch::changed() {
    const auto now = parts_.clock.steady_now();
    const auto span = std::chrono::duration<double>(now - told_at_).count();
    const bool at_first = told_at_ == SteadyTime{};
    told_at_ = now;
    std::vector<ledger::AccountHealth> news;
    for (const auto& account : parts_.selector.all()) {
        ledger::AccountHealth health;
        health.account = account->settings().name;
        health.breaker = to_word(account->breaker().state(now));
        health.shut_for = std::max(account->paused_for(), account->breaker().open_for(now));
        health.last_error = account->last_mishap().what;
        health.last_error_at = account->last_mishap().at;
        auto& told = told_[health.account];
        const auto used = static_cast<double>(account->used() - told.used);
        if (!at_first) health.per_second = std::round(used / span * 10) / 10;
        told.used = account->used();
        if (at_first || is_news(health, told.health)) news.push_back(health);
        told.health = std::move(health);
    }
    return news;
}

asio::awaitable<void> AccountWatch::tell() {
    const auto news = changed();
    if (news.empty()) co_return;
    const auto done = co_await parts_.store.tell(parts_.worker, news);
    if (!done) spdlog::debug("{}", describe(done.error()));
}

}  // namespace fanfare
