#pragma once

#include "worker/send/chunk_batcher.hpp"
#include "worker/send/composed_requests.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {

/// One pass through everybody of a chunk who is still open. It begins empty, Preparation fills it,
/// ChunkSend adds what the answers said, settle_pass() carries that into the Recipients.
///
/// Lifetime  requests point into it: it stays where it is.
struct Pass {
    Resolved resolved;
    ComposedRequests requests;
    std::shared_ptr<Provider> provider;    // That composed the requests; reads their answers.
    std::vector<std::uint32_t> quiet;      // Whom their quiet hours keep open ...
    std::optional<TimePoint> quiet_until;  // ... and the earliest end of these.

    std::vector<Fate> target_fates;    // One of Resolved::targets each; pending: not tried.
    std::vector<std::uint32_t> spent;  // Recipients, once for each attempt that failed.
    std::chrono::milliseconds throttled_for{0};    // The provider asked the account to wait.
    std::chrono::milliseconds recipients_wait{0};  // The same of single addresses.
    std::optional<std::string> refusal;            // Of the account, in the provider's words.
    std::vector<std::string> dead;                 // Addresses the provider calls dead, as the
                                                   // system has them.
    std::optional<Marked> ended_by;                // What the ledger said: nothing more is begun.
};

}  // namespace fanfare
