#pragma once

#include "core/async/task_group.hpp"
#include "core/clock/clock.hpp"
#include "core/kafka/consumer.hpp"
#include "core/observe/seldom.hpp"
#include "core/rendering/templates.hpp"
#include "core/systems/system.hpp"
#include "core/tracing/tracer.hpp"
#include "core/wire/job.hpp"
#include "worker/intake/dead_letters.hpp"
#include "worker/intake/intake_store.hpp"
#include "worker/intake/order_check.hpp"
#include "worker/probes/probes.hpp"

#include <boost/asio/awaitable.hpp>

#include <deque>
#include <functional>
#include <optional>

namespace fanfare {

/// Takes jobs from Kafka into the ledger, and refuses what is none with a reason.
///
/// An accepted job is committed in PostgreSQL before its offset is; a refused one is noted there
/// and on fanfare.dead first. A job that is known already is no fault: nothing happens again. What
/// PostgreSQL refuses for a value in it, or another job under its key, is refused for good. A dead
/// letter that the broker calls too large is cut.
///
/// Bounds    at_once_max jobs are read and stored at a time, of large ones (at_once_bytes) no more
///           than large_at_once_max; what waits is as it came, and as much
///           as the consumer delivers unfinished (kafka::Consumer::held_bytes_max).
/// Stop      stop() ends the retries after a fault; then await join().
/// Threads   one serial executor.
class Intake {
public:
    static constexpr std::size_t at_once_max = 32;
    static constexpr std::size_t at_once_bytes = std::size_t{256} * 1024;  // As they came.
    static constexpr std::size_t large_at_once_max = 8;

    struct Parts {
        IntakeStore& store;
        OrderCheck& orders;
        DeadLetters& dead_letters;
        kafka::Topics topics;  // As letters, logs and spans name them.
        const Systems& systems;
        const Templates& templates;
        bool has_links = false;  // People can unsubscribe by a link.
        WorkerProbe& probe;
        const Clock& clock;
        std::function<void(const std::string& job, Lane lane)> accepted;
        std::function<void(const kafka::Received&)> finished;
        Tracer* tracer = nullptr;  // Null: nobody wants spans.
        /// Of a job that the system's database has just found sound; before accepted().
        std::function<void(const std::string& job)> checked{};
    };
    Intake(boost::asio::any_io_executor executor, Parts parts)
        : parts_{std::move(parts)}, tasks_{std::move(executor)} {}

    /// Takes one record of fanfare.jobs, to be handled in its turn.
    void take(kafka::Received record);

    void stop() { stopping_ = true; }
    [[nodiscard]] boost::asio::awaitable<void> join() { return tasks_.join(); }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

    /// Logs what was counted and not told: each turn of the worker, and `at_once` at its end.
    void settle_warnings(bool at_once) {
        refused_.settle(at_once);
        troubled_.settle(at_once);
    }

private:
    [[nodiscard]] bool has_room() const noexcept;
    void serve_next();
    [[nodiscard]] boost::asio::awaitable<void> serve(kafka::Received record);
    [[nodiscard]] boost::asio::awaitable<void> handle(const kafka::Received& record);
    [[nodiscard]] std::optional<Rejection> read(const kafka::Received& record,
                                                ledger::NewJob& order) const;
    [[nodiscard]] boost::asio::awaitable<std::optional<Rejection>> look(const ledger::NewJob& order,
                                                                        bool& told);
    [[nodiscard]] boost::asio::awaitable<std::optional<Rejection>> judge(const Job& job,
                                                                         bool& told);
    [[nodiscard]] TimePoint published_at(const kafka::Received& record) const;
    [[nodiscard]] std::optional<Rejection> check(ledger::NewJob& order) const;
    [[nodiscard]] std::optional<Span> begin_trace(const kafka::Received& record,
                                                  ledger::NewJob& order) const;
    /// Stores a job, and ends the span that its trace begins with, if it is new. False: not now,
    /// or, with a rejection, never.
    [[nodiscard]] boost::asio::awaitable<bool> accept(const ledger::NewJob& order,
                                                      std::optional<Rejection>& rejection,
                                                      std::optional<Span>& root, bool told);
    [[nodiscard]] boost::asio::awaitable<bool> note_refusal(const std::string& id,
                                                            const ledger::NewJob& order,
                                                            const Rejection& rejection);
    using Headers = std::vector<std::pair<std::string, std::string>>;
    [[nodiscard]] Headers dead_letter_headers(const kafka::Received& record,
                                              const ledger::NewJob& order,
                                              const Rejection& rejection, std::size_t most) const;
    [[nodiscard]] boost::asio::awaitable<Result<void>> bury(const kafka::Received& record,
                                                            const ledger::NewJob& order,
                                                            const Rejection& rejection,
                                                            std::size_t most);
    [[nodiscard]] boost::asio::awaitable<bool> refuse(const kafka::Received& record,
                                                      const ledger::NewJob& order,
                                                      const Rejection& rejection);

    Parts parts_;
    TaskGroup tasks_;
    std::deque<kafka::Received> waiting_;
    std::size_t serving_ = 0;
    std::size_t serving_bytes_ = 0;
    bool stopping_ = false;
    Seldom refused_{"jobs refused; fanfare dead list tells them", parts_.clock};
    Seldom troubled_{"tries to take a job into the ledger failed", parts_.clock};
};

}  // namespace fanfare
