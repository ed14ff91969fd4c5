#include "worker/send/job_store.hpp"

#include "core/ledger/jobs.hpp"

namespace fanfare {

boost::asio::awaitable<Result<JobStore::Context>> LedgerJobStore::load(const std::string& job) {
    const auto read = [&](postgres::Connection& ledger) -> Result<Context> {
        const auto row = ledger::load_job(ledger, job);
        if (!row) return fail(Errc::job_rejected, "find it in the ledger");
        return job_contexts_.load_context(ledger, row->body, row->own_templates, row->origin,
                                          row->trace);
    };
    auto loaded = co_await ledger_.run("load a job", read);
    if (!loaded) co_return loaded.error();
    co_return std::move(loaded.value());
}

}  // namespace fanfare
