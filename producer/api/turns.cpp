#include "producer/api/turns.hpp"

#include "core/async/task_group.hpp"

#include <boost/asio/this_coro.hpp>

namespace fanfare::api {

namespace asio = boost::asio;

struct Turns::Waiter {
    explicit Waiter(const asio::any_io_executor& executor) : signal{executor} {}
    Signal signal;
    bool called = false;
};

asio::awaitable<std::unique_ptr<Turns::Turn>> Turns::take(std::string client,
                                                          std::size_t in_line_max) {
    if (closed_) co_return nullptr;
    auto [line, is_first] = lines_.try_emplace(client);
    if (!is_first) {
        auto& waiting = line->second.waiting;
        if (waiting.size() >= in_line_max) co_return nullptr;
        const auto executor = co_await asio::this_coro::executor;
        const auto waiter = std::make_shared<Waiter>(executor);
        waiting.push_back(waiter);
        while (!waiter->called && !closed_) co_await waiter->signal.wait();
        if (!waiter->called) co_return nullptr;
    }
    co_return std::unique_ptr<Turn>{new Turn{*this, std::move(client)}};
}

void Turns::pass_on(const std::string& client) {
    const auto line = lines_.find(client);
    auto& waiting = line->second.waiting;
    if (waiting.empty() || closed_) {
        lines_.erase(line);
        return;
    }
    const auto next = std::move(waiting.front());
    waiting.pop_front();
    next->called = true;
    next->signal.notify();
}

void Turns::close() {
    closed_ = true;
    for (const auto& [client, line] : lines_) {
        for (const auto& waiter : line.waiting) waiter->signal.notify();
    }
}

}  // namespace fanfare::api
