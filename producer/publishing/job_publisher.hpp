#pragma once

#include "core/async/wake_signal.hpp"
#include "core/kafka/producer.hpp"
#include "core/postgres/pool.hpp"
#include "core/tracing/tracer.hpp"
#include "producer/schedule/publisher.hpp"

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fanfare {

/// Notes a job that the broker calls too large as refused, as a worker would note it: whoever
/// published it learns why, and publishes it no more. Blocks; belongs inside postgres::Pool::run().
void refuse_too_large(postgres::Connection& ledger, const std::string& job);

/// Publishes the scheduler's jobs, and notes those that the broker would never take. The trace of
/// a job that has none begins here.
///
/// Stop      the destructor lets go of notes that are not written: such a job is not acknowledged.
/// Threads   calls from any; one of its own writes the notes.
/// Lifetime  producer, ledger and tracer outlive it, and it outlives the producer's callbacks.
class JobPublisher {
public:
    struct Parts {
        kafka::Producer& producer;
        std::string topic;
        postgres::Pool& ledger;
        Tracer* tracer = nullptr;  // nullptr: nobody wants spans.
    };
    explicit JobPublisher(Parts parts);
    ~JobPublisher();
    JobPublisher(const JobPublisher&) = delete;
    JobPublisher& operator=(const JobPublisher&) = delete;

    /// A PublishJob. A job that is noted as refused counts as acknowledged.
    bool publish(const OutgoingJob& job, std::function<void(bool)> acknowledged);

private:
    using Acknowledged = std::function<void(bool)>;
    struct Refused {
        std::string job;
        Acknowledged acknowledged;
    };
    [[nodiscard]] Tracer::Root begin(const OutgoingJob& job) const;
    void refuse(const std::string& job, Acknowledged acknowledged);
    void run();

    Parts parts_;
    std::mutex mutex_;
    std::vector<Refused> refused_;
    WakeSignal waker_;
    std::thread thread_;
};

}  // namespace fanfare
