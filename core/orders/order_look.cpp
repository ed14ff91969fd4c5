#include "core/orders/order_look.hpp"

namespace fanfare {
namespace {

constexpr int questions_max = 2;

}  // namespace

bool OrderLook::is_resting(const Line& line) const {
    return line.resting_until && clock_.steady_now() < *line.resting_until;
}

boost::asio::awaitable<std::optional<Rejection>> OrderLook::ask(postgres::Pool& source,
                                                                Telling telling, bool* told) {
    const auto executor = co_await boost::asio::this_coro::executor;
    auto& line = lines_.try_emplace(telling.system.name, executor).first->second;
    const auto until = clock_.steady_now() + patience_;
    while (line.under_way >= questions_max && !is_resting(line) && clock_.steady_now() < until) {
        co_await line.moved.wait();
    }
    if (line.under_way >= questions_max || is_resting(line)) co_return std::nullopt;
    ++line.under_way;
    const auto look = [this, &telling](postgres::Connection& connection) {
        return check_order(connection, telling, &recent_);
    };
    const auto begun = clock_.steady_now();
    std::string doing{"check an order"};
    auto asked = co_await source.run(std::move(doing), look);
    --line.under_way;
    const auto now = clock_.steady_now();
    // A query that PostgreSQL refuses costs no time.
    const bool is_away = !asked && !is_refused(asked.error().code);
    if (is_away || now - begun > slow) line.resting_until = now + rest;
    line.moved.notify();
    if (told != nullptr) *told = asked && !asked.value();
    if (asked) co_return std::move(asked.value());
    co_return std::nullopt;
}

}  // namespace fanfare
