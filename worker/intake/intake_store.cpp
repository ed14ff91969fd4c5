#include "worker/intake/intake_store.hpp"

#include "core/ledger/untaken.hpp"

namespace fanfare {

namespace asio = boost::asio;

namespace {

std::vector<ledger::TakenJob> take_noted(postgres::Connection& ledger,
                                         std::span<const ledger::NewJob* const> orders) {
    auto taken = ledger::take_jobs(ledger, orders);
    for (std::size_t i = 0; i < orders.size(); ++i) {
        const auto& own = orders[i]->job.id;
        if (!taken[i].id.empty() && taken[i].id != own) ledger::take_as(ledger, own, taken[i].id);
    }
    return taken;
}

}  // namespace

asio::awaitable<Result<ledger::TakenJob>> LedgerIntakeStore::take(const ledger::NewJob& order) {
    return taking_.ask(&order);
}

/// What PostgreSQL does not take of one of them is asked of each alone.
asio::awaitable<std::vector<LedgerIntakeStore::Taken>> LedgerIntakeStore::take_all(Orders orders) {
    const auto take = [&orders](postgres::Connection& ledger) {
        return take_noted(ledger, orders);
    };
    auto taken = co_await ledger_.run("insert jobs", take);
    std::vector<Taken> answers;
    if (taken) {
        for (auto& one : taken.value()) answers.emplace_back(std::move(one));
    } else if (orders.size() == 1 || is_retryable(taken.error().code)) {
        answers.assign(orders.size(), taken.error());
    } else {
        for (std::size_t i = 0; i < orders.size(); ++i) {
            auto alone = co_await take_all(orders.subspan(i, 1));
            answers.push_back(std::move(alone.front()));
        }
    }
    co_return answers;
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
