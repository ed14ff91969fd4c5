#include "producer/unsubscribe/lookup.hpp"

#include "core/audience/reach.hpp"

#include <fmt/format.h>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace fanfare {
namespace {

namespace asio = boost::asio;

constexpr postgres::Limits limits{.statement_timeout = std::chrono::seconds{2}, .read_only = true};
constexpr std::chrono::seconds away_for{10};

}  // namespace

bool AddressLookup::is_away(const std::string& system) {
    const std::scoped_lock lock{mutex_};
    const auto found = away_until_.find(system);
    return found != away_until_.end() && clock_.steady_now() < found->second;
}

asio::awaitable<Result<std::vector<AddressLookup::Addresses>>> AddressLookup::find(
    std::string system, std::vector<Sought> people) {
    using Found = Result<std::vector<Addresses>>;
    auto home = co_await asio::this_coro::executor;
    auto start = [this, &home, &system, &people](auto handler) {
        auto on_thread = [this, system = std::move(system), people = std::move(people),
                          handler = std::move(handler),
                          alive = asio::make_work_guard(home)]() mutable {
            auto found = look(system, people);
            asio::post(alive.get_executor(),
                       [handler = std::move(handler), found = std::move(found)]() mutable {
                           std::move(handler)(std::move(found));
                       });
        };
        asio::post(threads_, std::move(on_thread));
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(Found)>(
        start, asio::use_awaitable);
}

Result<std::vector<AddressLookup::Addresses>> AddressLookup::look(
    const std::string& system, const std::vector<Sought>& people) {
    std::vector<Addresses> found(people.size());
    const auto served = systems_.find(system);
    if (served == systems_.end()) return found;
    auto doing = fmt::format("system {}: look up who unsubscribed", system);
    if (is_away(system)) {
        const postgres::Unreachable away{"the system's database did not answer"};
        return postgres::to_failure(away, false, std::move(doing));
    }
    const auto& database = served->second.database;
    try {
        postgres::Connection source{database.empty() ? settings_.database.url : database, limits};
        for (std::size_t i = 0; i < people.size(); ++i) {
            found[i] =
                addresses_now(source, served->second, people[i].channel, people[i].recipient);
        }
        return found;
    } catch (const std::exception& fault) {  // Whatever it is, it need not be asked again at once.
        const std::scoped_lock lock{mutex_};
        away_until_[system] = clock_.steady_now() + away_for;
        return postgres::to_failure(fault, true, std::move(doing));
    }
}

}  // namespace fanfare
