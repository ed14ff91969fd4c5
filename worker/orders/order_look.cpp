#include "worker/orders/order_look.hpp"

namespace fanfare {

boost::asio::awaitable<std::optional<Rejection>> OrderLook::ask(postgres::Pool& source,
                                                                Telling telling) {
    const auto resting = resting_.find(telling.system.name);
    if (resting != resting_.end() && clock_.moment() < resting->second) co_return std::nullopt;
    const auto look = [&telling](postgres::Connection& connection) {
        return check_order(connection, telling);
    };
    std::string doing{"check an order"};
    auto asked = co_await source.run(std::move(doing), look);
    if (asked) co_return std::move(asked.value());
    // A query that PostgreSQL refuses costs no time.
    if (!is_refused(asked.error().code)) {
        resting_.insert_or_assign(telling.system.name, clock_.moment() + rest);
    }
    co_return std::nullopt;
}

}  // namespace fanfare
