#include "core/http/mail_pool.hpp"

#include "core/http/mail_transfer.hpp"

#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace fanfare {

namespace asio = boost::asio;

struct MailPool::State : std::enable_shared_from_this<State> {
    /// One mail, from start() until its `done` was called.
    struct Job {
        const HttpRequest* request;
        HttpClient::Done done;
        asio::any_io_executor executor;  // Counts as work: the loop waits for us.
        HttpAnswer answer;
    };
    using Jobs = std::list<Job>;

    State(const asio::any_io_executor& executor_given, const HttpOptions& options_given)
        : executor{executor_given}, options{options_given} {}

    void serve();
    void deliver();

    const asio::any_io_executor executor;
    const HttpOptions options;
    std::size_t open = 0;  // On the executor only, as threads.
    std::vector<std::thread> threads;

    std::mutex mutex;  // Of all below.
    std::condition_variable woken;
    Jobs waiting;
    Jobs ended;
    std::size_t waiting_threads = 0;
    std::size_t running = 0;
    std::vector<MailTransfer*> busy;
    std::vector<std::unique_ptr<MailTransfer>> idle;  // The warmest connection is the last.
    bool stopping = false;
};

/// A thread's life: a mail, its fate, the next.
void MailPool::State::serve() {
    std::unique_lock lock{mutex};
    while (true) {
        ++waiting_threads;
        woken.wait(lock, [this] { return stopping || !waiting.empty(); });
        --waiting_threads;
        if (stopping) return;
        Jobs mine;
        mine.splice(mine.begin(), waiting, waiting.begin());
        std::unique_ptr<MailTransfer> transfer;
        if (!idle.empty()) {
            transfer = std::move(idle.back());
            idle.pop_back();
        } else {
            transfer = std::make_unique<MailTransfer>(options);
        }
        busy.push_back(transfer.get());
        lock.unlock();
        auto& job = mine.front();
        job.answer = transfer->perform(*job.request);
        lock.lock();
        std::erase(busy, transfer.get());
        idle.push_back(std::move(transfer));
        ended.splice(ended.end(), mine);
        asio::post(executor, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->deliver();
        });
    }
}

/// Calls what has ended; on the executor.
void MailPool::State::deliver() {
    while (true) {
        Jobs one;
        {
            const std::lock_guard guard{mutex};
            if (ended.empty()) return;
            one.splice(one.begin(), ended, ended.begin());
        }
        --open;
        one.front().done(one.front().answer);
    }
}

MailPool::MailPool(const asio::any_io_executor& executor, const HttpOptions& options)
    : state_{std::make_shared<State>(executor, options)} {}

MailPool::~MailPool() { close(); }

void MailPool::start(const HttpRequest& request, HttpClient::Done done) {
    auto& state = *state_;
    ++state.open;
    bool needs_thread = false;
    {
        const std::lock_guard guard{state.mutex};
        state.waiting.push_back(
            {&request, std::move(done),
             asio::prefer(state.executor, asio::execution::outstanding_work.tracked),
             HttpAnswer{}});
        needs_thread = state.waiting.size() > state.waiting_threads &&
                       state.threads.size() < state.options.connections_max;
    }
    state.woken.notify_one();
    if (needs_thread) state.threads.emplace_back([raw = state_.get()] { raw->serve(); });
}

void MailPool::close() {
    auto& state = *state_;
    {
        const std::lock_guard guard{state.mutex};
        state.stopping = true;
        for (auto* const transfer : state.busy) transfer->abort();
    }
    state.woken.notify_all();
    for (auto& thread : state.threads) thread.join();
    state.threads.clear();
    {
        const std::lock_guard guard{state.mutex};
        state.ended.splice(state.ended.end(), state.waiting);  // Never begun: not_sent.
        state.idle.clear();
    }
    state.deliver();
}

std::size_t MailPool::in_flight() const noexcept { return state_->open; }

}  // namespace fanfare
