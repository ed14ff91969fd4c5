#include "worker/sweep/write_back_store.hpp"

#include <pqxx/nontransaction>

#include <algorithm>

namespace fanfare {
namespace {

/// The values of a statement's parameters; nullptr where the job has none.
std::vector<const char*> to_values(const Query& query, const Job& job,
                                   const std::string& occurrence) {
    std::vector<const char*> values;
    for (const auto& name : query.parameters) {
        const std::string* value = nullptr;
        if (name == "job") value = &job.id;
        if (name == "subject") value = &job.subject;
        if (name == "occurrence") value = &occurrence;
        if (const auto found = job.params.find(name);
            value == nullptr && found != job.params.end()) {
            value = &found->second;
        }
        values.push_back(value == nullptr || value->empty() ? nullptr : value->c_str());
    }
    return values;
}

}  // namespace

boost::asio::awaitable<Result<std::vector<ledger::DoneJob>>> LedgerWriteBackStore::take(
    int limit, std::chrono::milliseconds lease) {
    return ledger_.run("find jobs to write back", [=](postgres::Connection& ledger) {
        return ledger::take_done_jobs(ledger, limit, lease);
    });
}

boost::asio::awaitable<Result<void>> LedgerWriteBackStore::note(Jobs told, Jobs untold) {
    return ledger_.run("note what was written back", [=](postgres::Connection& ledger) {
        if (!told.empty()) ledger::mark_written_back(ledger, told);
        if (!untold.empty()) ledger::postpone_write_backs(ledger, untold);
    });
}

bool DatabaseDoneListeners::are_any() const {
    const auto& systems = job_contexts_.systems();
    return std::any_of(systems.begin(), systems.end(),
                       [](const auto& system) { return !system.second.done.empty(); });
}

boost::asio::awaitable<Result<void>> DatabaseDoneListeners::tell(const ledger::DoneJob& done) {
    const auto context = job_contexts_.load_context(done.body);
    if (!context) co_return Result<void>{};  // No longer configured: nobody wants to know.
    const auto& job = context.value()->job;
    const auto& system = *context.value()->system;
    const auto query = system.done.find(job.kind);
    if (query == system.done.end()) co_return Result<void>{};
    const auto values = to_values(query->second, job, done.occurrence);
    const auto write = [&](postgres::Connection& connection) {
        pqxx::nontransaction work{connection.raw()};
        work.exec_params(query->second.sql,
                         pqxx::prepare::make_dynamic_params(values.begin(), values.end()));
    };
    auto& writer = job_contexts_.find_writer(system);
    auto written = co_await writer.run("write back that a job is done", write);
    co_return written;
}

}  // namespace fanfare
