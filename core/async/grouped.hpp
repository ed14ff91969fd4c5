#pragma once

#include "core/async/task_group.hpp"
#include "core/error/failure.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace fanfare {

/// Answers many requests at once: while one group is being answered, those that come gather, and
/// are the next group. Alone a request waits for nothing.
///
/// Bounds    one group at a time, of at most `most` requests; callers bound how many wait.
/// Threads   one serial executor.
/// Lifetime  it outlives those who wait, and they wait to their end; so does what a request refers
/// to. The loop on which it was first asked outlives it.
template <class Request, class Answer>
class Grouped {
public:
    /// As many answers as requests, in their order.
    using AnswerAll = std::function<boost::asio::awaitable<std::vector<Answer>>(
        std::span<const Request> requests)>;
    Grouped(AnswerAll answer_all, std::size_t most)
        : answer_all_{std::move(answer_all)}, most_{most} {}

    [[nodiscard]] boost::asio::awaitable<Answer> ask(Request request) {
        const auto executor = co_await boost::asio::this_coro::executor;
        if (!answered_) answered_.emplace(executor);
        Waiting mine{std::move(request), std::nullopt};
        waiting_.push_back(&mine);
        while (!mine.answer) {
            if (answering_) {
                co_await answered_->wait();
            } else {
                co_await answer_next(executor);
            }
        }
        co_return std::move(*mine.answer);
    }

private:
    struct Waiting {
        Request request;
        std::optional<Answer> answer;
    };

    boost::asio::awaitable<void> answer_next(boost::asio::any_io_executor executor) {
        answering_ = true;
        // Those who were called with this one come too.
        co_await boost::asio::post(executor, boost::asio::use_awaitable);
        const auto count = static_cast<std::ptrdiff_t>(std::min(most_, waiting_.size()));
        const std::vector<Waiting*> group(waiting_.begin(), waiting_.begin() + count);
        waiting_.erase(waiting_.begin(), waiting_.begin() + count);
        std::vector<Request> requests;
        for (auto* const one : group) requests.push_back(std::move(one->request));
        auto answers = co_await answer_all_(requests);
        ensure(answers.size() == group.size(), "each request has its answer");
        for (std::size_t i = 0; i < group.size(); ++i) group[i]->answer = std::move(answers[i]);
        answering_ = false;
        answered_->notify();
    }

    AnswerAll answer_all_;
    std::size_t most_;
    std::optional<Signal> answered_;
    std::deque<Waiting*> waiting_;
    bool answering_ = false;
};

}  // namespace fanfare
