#pragma once

#include "core/settings/settings.hpp"
#include "worker/sweep/write_back_store.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace fanfare {

/// Tells the systems that want to know which of their jobs are done (write_backs.done).
///
/// At least once: a worker that dies in between leaves the job to whoever comes next. Sending waits
/// for none of this; what fails is tried again, ever less often, at most every hour.
///
/// Bounds    100 jobs a round, one statement at a time.
/// Stop      stop(), then await run().
/// Threads   one serial executor.
/// Lifetime  what it is given outlives run().
class WriteBacks {
public:
    WriteBacks(WriteBackStore& store, DoneListeners& listeners, const WorkerSettings& settings)
        : store_{store}, listeners_{listeners}, settings_{settings} {}

    /// Returns at once where no system wants to know.
    [[nodiscard]] boost::asio::awaitable<void> run();
    void stop() { stopping_ = true; }

private:
    [[nodiscard]] boost::asio::awaitable<void> round();
    [[nodiscard]] boost::asio::awaitable<void> note(std::vector<std::string> told,
                                                    std::vector<std::string> untold);

    WriteBackStore& store_;
    DoneListeners& listeners_;
    const WorkerSettings& settings_;
    bool stopping_ = false;
};

}  // namespace fanfare
