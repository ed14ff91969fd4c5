#pragma once

#include "core/error/failure.hpp"
#include "worker/send/job_store.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

namespace fanfare {

/// The jobs whose chunks were sent lately: a job of a thousand chunks is read once.
///
/// Bounds    256 jobs, 8 MiB of job and owners' texts; beyond either all are read again.
/// Threads   one serial executor.
/// Lifetime  what it is given outlives it.
class KnownJobs {
public:
    explicit KnownJobs(JobStore& store) : store_{store} {}

    /// As JobStore::load().
    [[nodiscard]] boost::asio::awaitable<Result<std::shared_ptr<const JobContext>>> find(
        const std::string& job);

private:
    JobStore& store_;
    std::unordered_map<std::string, std::shared_ptr<const JobContext>> contexts_;
    std::size_t bytes_ = 0;
};

}  // namespace fanfare
