#include "worker/send/job_store.hpp"

#include "core/ledger/jobs.hpp"

namespace fanfare {

namespace asio = boost::asio;

asio::awaitable<Result<JobStore::Context>> LedgerJobStore::load(const std::string& job) {
    return loading_.ask(job);
}

asio::awaitable<std::vector<Result<JobStore::Context>>> LedgerJobStore::load_all(Jobs jobs) {
    const auto read = [&](postgres::Connection& ledger) {
        const auto rows = ledger::load_jobs(ledger, jobs);
        std::vector<Result<Context>> contexts;
        for (const auto& job : jobs) {
            const auto row = rows.find(job);
            if (row == rows.end()) {
                contexts.emplace_back(fail(Errc::job_rejected, "find it in the ledger"));
                continue;
            }
            const auto& [id, known] = *row;
            contexts.push_back(job_contexts_.load_context(ledger, known.body, known.own_templates,
                                                          known.origin, known.trace));
        }
        return contexts;
    };
    auto loaded = co_await ledger_.run("load jobs", read);
    if (loaded) co_return std::move(loaded.value());
    co_return std::vector<Result<Context>>(jobs.size(), loaded.error());
}

}  // namespace fanfare
