#include "worker/sweep/job_ends.hpp"

namespace fanfare {

boost::asio::awaitable<Result<std::vector<ledger::EndedJob>>> LedgerJobEnds::close(
    std::span<const std::string> jobs) {
    return ledger_.run("close jobs", [jobs](postgres::Connection& ledger) {
        return ledger::finish_jobs(ledger, jobs);
    });
}

}  // namespace fanfare
