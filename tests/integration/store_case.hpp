#pragma once

#include "core/error/failure.hpp"
#include "tests/integration/ledger_case.hpp"
#include "tests/support/coroutines.hpp"
#include "worker/send/job_context.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

namespace fanfare {

/// What a stage asks of the ledger, asked as it asks: over a pool, and awaited.
class StoreCase : public ledger::LedgerCase {
protected:
    template <class T>
    Result<T> ask(boost::asio::awaitable<Result<T>> task) {
        return test::run(loop, std::move(task));
    }
    /// The same of several at once; an answer stands where its task does.
    template <class T>
    std::vector<Result<T>> ask_together(std::vector<boost::asio::awaitable<Result<T>>> tasks) {
        std::vector<std::optional<Result<T>>> answers(tasks.size());
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            test::begin(loop, keep(std::move(tasks[i]), answers[i]));
        }
        loop.restart();
        loop.run();
        std::vector<Result<T>> all;
        for (auto& answer : answers) all.push_back(std::move(answer.value()));
        return all;
    }
    /// Systems without a database of their own are in the ledger's.
    JobContexts contexts() {
        return {systems,
                templates,
                {ledger.database().url(), 1, std::chrono::seconds{60}},
                "",
                system_clock()};
    }

    boost::asio::io_context loop;
    postgres::Pool pool{ledger.database().url(), {}, 2};
    Systems systems;
    Templates templates;

private:
    template <class T>
    static boost::asio::awaitable<void> keep(boost::asio::awaitable<Result<T>> task,
                                             std::optional<Result<T>>& answer) {
        answer.emplace(co_await std::move(task));
    }
};

}  // namespace fanfare
