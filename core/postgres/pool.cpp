#include "core/postgres/pool.hpp"

namespace fanfare::postgres {

Pool::Pool(Secret url, Limits limits, std::size_t size)
    : url_{std::move(url)}, limits_{limits}, size_{size}, threads_{size} {}

Pool::~Pool() { threads_.join(); }

std::unique_ptr<Connection> Pool::open() const {
    return std::make_unique<Connection>(url_, limits_);
}

PoolLoad Pool::load() const noexcept { return {size_, in_use_, waiting_, failed_}; }

std::unique_ptr<Connection> Pool::take() {
    std::vector<std::unique_ptr<Connection>> dead;  // Closed without the lock.
    const std::lock_guard guard{mutex_};
    while (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        // One that a restart of the server has cut costs nobody a failed call.
        if (connection->is_alive()) return connection;
        dead.push_back(std::move(connection));
    }
    return nullptr;
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
    const std::lock_guard guard{mutex_};
    idle_.push_back(std::move(connection));
}

void Pool::forget_idle() {
    std::vector<std::unique_ptr<Connection>> dead;  // Closed without the lock.
    const std::lock_guard guard{mutex_};
    dead.swap(idle_);
}

}  // namespace fanfare::postgres
