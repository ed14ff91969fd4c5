#include "worker/intake/intake_store.hpp"

#include "core/ledger/untaken.hpp"

namespace fanfare {

namespace asio = boost::asio;

asio::awaitable<Result<ledger::TakenJob>> LedgerIntakeStore::take(const ledger::NewJob& order) {
    return ledger_.run("insert a job", [&order](postgres::Connection& ledger) {
        auto taken = ledger::take_job(ledger, order);
        const bool is_other = !taken.id.empty() && taken.id != order.job.id;
        if (is_other) ledger::take_as(ledger, order.job.id, taken.id);
        return taken;
    });
}

asio::awaitable<Result<bool>> LedgerIntakeStore::is_taken(const ledger::NewJob& order) {
    return ledger_.run("look for a job", [&order](postgres::Connection& ledger) {
        return ledger::is_taken(ledger, order);
    });
}

asio::awaitable<Result<void>> LedgerIntakeStore::refuse(const std::string& id,
                                                        const Rejection& rejection) {
    return ledger_.run("note a refused job", [&](postgres::Connection& ledger) {
        ledger::refuse_job(ledger, id, rejection.code, rejection.message);
    });
}

asio::awaitable<Result<std::optional<ledger::OwnTemplates>>> LedgerIntakeStore::own_templates(
    const Job& job) {
    return ledger_.run("look up own templates", [&job](postgres::Connection& ledger) {
        return ledger::current_templates(ledger, {job.system, job.kind, job.source});
    });
}

}  // namespace fanfare
