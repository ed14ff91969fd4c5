#pragma once

#include "core/tracing/tracer.hpp"
#include "worker/send/composed_requests.hpp"
#include "worker/send/pauses.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fanfare {

/// One claimed chunk on its way through the send stage.
struct ChunkInProgress {
    ledger::ClaimedChunk chunk;
    std::shared_ptr<const JobContext> job;
    Resolved resolved;
    ComposedRequests requests;
    std::shared_ptr<Provider> provider;  // That composed the requests; reads their answers.
    SteadyTime lease_ends{};
    std::int32_t attempts_max = 5;
    const Pauses* pauses = nullptr;  // Outlives it; null: nothing is ever held back.
    Tracer* tracer = nullptr;        // Outlives it; null: nobody wants spans.
    std::optional<Span> span;        // From the claim on; nothing: nobody wants it.
    std::string account;             // That served it last; where there is a span.

    // What the answers of the current pass asked for.
    std::vector<std::uint32_t> spent;              // Recipients, once for each attempt that failed.
    std::chrono::milliseconds throttled_for{0};    // The account.
    std::chrono::milliseconds recipients_wait{0};  // Single addresses.
    std::optional<TimePoint> quiet_until;          // The earliest end of somebody's quiet hours.
    std::vector<std::uint32_t> quiet;              // Whom they keep open.
    bool account_refused = false;
    std::string refusal;
    std::vector<std::string> dead;             // Addresses the provider calls dead.
    std::vector<std::string> dead_as_written;  // The same as the system has them.
    std::vector<std::string> opted_out;        // Those whose owners told the provider to stop.
    std::vector<Fate> target_fates;            // One of Resolved::targets each; pending: not tried.

    // Over all passes of this claim.
    bool begun = false;                         // A request of it was begun.
    bool lost = false;                          // No longer ours: nothing more is begun.
    bool unrecorded = false;                    // What became of it is not in the ledger.
    bool paused = false;                        // The ledger said so: it is put back as it is.
    bool progress = false;                      // It brought somebody further.
    std::set<std::uint32_t> told;               // Told on one device while another is still open.
    std::set<std::string, std::less<>> served;  // Devices whose fate is final.

    void begin_pass(const std::string& by) {
        throttled_for = {};
        recipients_wait = {};
        account_refused = false;
        if (span) account = by;
    }

    /// An operator holds its job or its kind back: nothing more of it is begun.
    [[nodiscard]] bool is_held_back() const {
        if (paused) return true;
        if (pauses == nullptr || pauses->empty() || !job) return false;
        return pauses->holds_job(chunk.key.job, job->job.system + "/" + job->job.kind);
    }
};

}  // namespace fanfare
