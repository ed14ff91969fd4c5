#include "worker/sweep/write_backs.hpp"

#include "core/async/task_group.hpp"
#include "core/clock/timer.hpp"

#include <spdlog/spdlog.h>
#include <pqxx/nontransaction>

#include <algorithm>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr int jobs_per_round_max = 100;

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

asio::awaitable<void> WriteBacks::run() {
    const auto& systems = job_contexts_.systems();
    if (std::none_of(systems.begin(), systems.end(),
                     [](const auto& system) { return !system.second.done.empty(); })) {
        co_return;
    }
    while (!stopping_) {
        co_await round();
        co_await pause_for(settings_.sweep_interval);
    }
}

asio::awaitable<void> WriteBacks::round() {
    const auto take = [this](postgres::Connection& ledger) {
        return ledger::take_done_jobs(ledger, jobs_per_round_max, settings_.lease);
    };
    auto taken = co_await ledger_.run("find jobs to write back", take);
    if (!taken) {
        spdlog::warn("{}", describe(taken.error()));
        co_return;
    }
    std::vector<std::string> told;
    std::vector<std::string> untold;
    bool reachable = true;  // The others of this round wait when a database is away.
    for (const auto& done : taken.value()) {
        if (!reachable || stopping_) {
            untold.push_back(done.id);
            continue;
        }
        const auto heard = co_await tell(done);
        if (heard) {
            told.push_back(done.id);
            continue;
        }
        untold.push_back(done.id);
        reachable = !is_retryable(heard.error().code);
        spdlog::warn("job {}: {}; it is done all the same, and this is tried again", done.id,
                     describe(heard.error()));
    }
    co_await note(std::move(told), std::move(untold));
}

asio::awaitable<Result<void>> WriteBacks::tell(const ledger::DoneJob& done) {
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

asio::awaitable<void> WriteBacks::note(std::vector<std::string> told,
                                       std::vector<std::string> untold) {
    if (told.empty() && untold.empty()) co_return;
    const auto write = [&](postgres::Connection& ledger) {
        if (!told.empty()) ledger::mark_written_back(ledger, told);
        if (!untold.empty()) ledger::postpone_write_backs(ledger, untold);
    };
    auto noted = co_await ledger_.run("note what was written back", write);
    if (!noted) spdlog::warn("{}; it is written back again", describe(noted.error()));
}

}  // namespace fanfare
