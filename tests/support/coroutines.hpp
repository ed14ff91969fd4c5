#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace fanfare::test {

/// Runs one coroutine to its end and gives out its value. Fails when it waits for ever.
template <class T>
T run(boost::asio::io_context& context, boost::asio::awaitable<T> task) {
    std::optional<T> value;
    std::exception_ptr fault;
    boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr thrown, T result) {
        fault = thrown;
        value = std::move(result);
        context.stop();
    });
    context.restart();
    context.run();
    if (fault) std::rethrow_exception(fault);
    if (!value) throw std::logic_error{"the coroutine waits for something that never comes"};
    return std::move(*value);
}

inline void run(boost::asio::io_context& context, boost::asio::awaitable<void> task) {
    bool ended = false;
    std::exception_ptr fault;
    boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr thrown) {
        fault = thrown;
        ended = true;
        context.stop();
    });
    context.restart();
    context.run();
    if (fault) std::rethrow_exception(fault);
    if (!ended) throw std::logic_error{"the coroutine waits for something that never comes"};
}

/// Begins a coroutine that goes on beside the test.
inline void begin(boost::asio::io_context& context, boost::asio::awaitable<void> task) {
    boost::asio::co_spawn(context, std::move(task), [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
}

/// Runs whatever can run now; what waits for others goes on waiting.
inline void settle(boost::asio::io_context& context) {
    context.restart();
    context.poll();
}

}  // namespace fanfare::test
