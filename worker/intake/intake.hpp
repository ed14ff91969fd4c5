#pragma once

#include "core/clock/clock.hpp"
#include "core/kafka/consumer.hpp"
#include "core/kafka/producer.hpp"
#include "core/observe/seldom.hpp"
#include "core/wire/job.hpp"
#include "worker/probes/probes.hpp"
#include "worker/rendering/templates.hpp"
#include "worker/send/job_context.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>

namespace fanfare {

/// Takes jobs from Kafka into the ledger, and refuses what is none with a reason.
///
/// An accepted job is committed in PostgreSQL before its offset is; a refused one is on
/// fanfare.dead first. A job that is known already is no fault: nothing happens again.
///
/// Threads   one serial executor; the database on the pool's threads.
class Intake {
public:
    struct Parts {
        Sources& sources;
        postgres::Pool& ledger;
        kafka::Producer& producer;
        kafka::Topics topics;
        const Templates& templates;
        WorkerProbe& probe;
        const Clock& clock;
        std::function<void(const std::string& job, Lane lane)> accepted;
        std::function<void(const kafka::Received&)> finished;
    };
    Intake(boost::asio::any_io_executor executor, Parts parts)
        : executor_{std::move(executor)}, parts_{std::move(parts)} {}

    /// Handles one record of fanfare.jobs; returns when it is settled or `stop` was called.
    [[nodiscard]] boost::asio::awaitable<void> take(kafka::Received record);

    void stop() { stopping_ = true; }

    /// Logs what was counted and not told: each turn of the worker, and `at_once` at its end.
    void settle_warnings(bool at_once) {
        refused_.settle(at_once);
        troubled_.settle(at_once);
    }

private:
    [[nodiscard]] std::optional<Rejection> check(Job& job) const;
    [[nodiscard]] boost::asio::awaitable<bool> accept(const Job& job);
    [[nodiscard]] boost::asio::awaitable<bool> refuse(const kafka::Received& record,
                                                      const Rejection& rejection);

    boost::asio::any_io_executor executor_;
    Parts parts_;
    bool stopping_ = false;
    Seldom refused_{"jobs refused; fanfare dead list tells them", parts_.clock};
    Seldom troubled_{"tries to take a job into the ledger failed", parts_.clock};
};

}  // namespace fanfare
