#include "worker/sweep/sweep_store.hpp"

#include "core/ledger/addresses.hpp"

#include <tuple>

namespace fanfare {

namespace asio = boost::asio;

asio::awaitable<Result<bool>> LedgerSweepStore::has_work() {
    return parts_.ledger.run("look for the ledger",
                             [](postgres::Connection& ledger) { return ledger::has_work(ledger); });
}

asio::awaitable<Result<std::vector<ledger::ClaimedChunk>>> LedgerSweepStore::take_over(
    int limit, std::chrono::milliseconds lease) {
    return parts_.ledger.run("take over chunks", [=, this](postgres::Connection& ledger) {
        return ledger::take_over_stalled(ledger, limit, lease, parts_.time.now());
    });
}

asio::awaitable<Result<std::vector<ledger::ClaimedChunk>>> LedgerSweepStore::claim_ended(
    int limit, std::chrono::milliseconds lease) {
    return parts_.ledger.run("find ended jobs", [this, limit, lease](postgres::Connection& ledger) {
        if (!ledger::knows_the_time(parts_.time, ledger, parts_.clock)) {
            return std::vector<ledger::ClaimedChunk>{};
        }
        return ledger::claim_of_ended_jobs(ledger, limit, lease);
    });
}

asio::awaitable<Result<SweepStore::SweptJob>> LedgerSweepStore::job(const std::string& id) {
    return parts_.ledger.run("load a job", [this, &id](postgres::Connection& ledger) {
        const auto row = ledger::load_job(ledger, id);
        auto context = parts_.job_contexts.load_context(row ? row->body : "");
        return SweptJob{row ? row->trace : std::string{}, context ? context.value() : nullptr};
    });
}

asio::awaitable<Result<std::vector<ledger::Overdue>>> LedgerSweepStore::take_overdue(
    std::span<const ledger::Room> rooms, std::chrono::milliseconds again_after) {
    return parts_.ledger.run("find overdue chunks", [=](postgres::Connection& ledger) {
        return ledger::take_overdue(ledger, rooms, again_after);
    });
}

asio::awaitable<Result<std::vector<ledger::UnplannedJob>>> LedgerSweepStore::unplanned(int limit) {
    return parts_.ledger.run("find unplanned jobs", [this, limit](postgres::Connection& ledger) {
        if (ledger::knows_the_time(parts_.time, ledger, parts_.clock)) {
            ledger::end_expired_plans(ledger);
        }
        return ledger::unplanned_jobs(ledger, limit);
    });
}

asio::awaitable<Result<std::vector<ledger::EndedJob>>> LedgerSweepStore::close_jobs() {
    return parts_.ledger.run(
        "close jobs", [](postgres::Connection& ledger) { return ledger::finish_jobs(ledger, {}); });
}

asio::awaitable<Result<void>> LedgerSweepStore::read_suppressions(int limit) {
    return parts_.ledger.run("read suppressions", [limit](postgres::Connection& ledger) {
        std::ignore = ledger::read_suppressions(ledger, limit);
    });
}

}  // namespace fanfare
