#pragma once

#include "core/clock/clock.hpp"
#include "core/ledger/chunks.hpp"
#include "worker/send/job_context.hpp"

#include <cstdint>
#include <memory>

namespace fanfare {

/// What a lane has claimed, with the job that it is of: the part of a chunk on its way of which
/// nothing changes. What is said of its people is in Recipients, what one pass decides in Pass.
struct Claim : ledger::ChunkClaim {
    std::shared_ptr<const JobContext> job;  // Null: nobody could say. Then nobody is tried.
    SteadyTime lease_ends{};
    std::int32_t attempts_max = 5;
};

}  // namespace fanfare
