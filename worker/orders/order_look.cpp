#include "worker/orders/order_look.hpp"

namespace fanfare {
namespace {

constexpr int questions_max = 2;

}  // namespace

boost::asio::awaitable<std::optional<Rejection>> OrderLook::ask(postgres::Pool& source,
                                                                Telling telling) {
    const auto resting = resting_.find(telling.system.name);
    if (resting != resting_.end() && clock_.moment() < resting->second) co_return std::nullopt;
    auto& under_way = under_way_[telling.system.name];
    if (under_way >= questions_max) co_return std::nullopt;
    ++under_way;
    const auto look = [&telling](postgres::Connection& connection) {
        return check_order(connection, telling);
    };
    std::string doing{"check an order"};
    auto asked = co_await source.run(std::move(doing), look);
    --under_way;
    if (asked) co_return std::move(asked.value());
    // A query that PostgreSQL refuses costs no time.
    if (!is_refused(asked.error().code)) {
        resting_.insert_or_assign(telling.system.name, clock_.moment() + rest);
    }
    co_return std::nullopt;
}

}  // namespace fanfare
