#include "producer/retention/keeper.hpp"

#include "core/ledger/lease.hpp"

#include <spdlog/spdlog.h>

namespace fanfare {
namespace {

constexpr const char* retention_lease = "retention";
constexpr int faults_max = 10;  // In a row: a round ends then.

/// What passes by itself: somebody was at work on an old chunk.
bool is_in_use(const pqxx::failure& fault) {
    const auto* const refused = dynamic_cast<const pqxx::sql_error*>(&fault);
    return dynamic_cast<const pqxx::transaction_rollback*>(&fault) != nullptr ||
           (refused != nullptr && refused->sqlstate() == "55P03");
}

}  // namespace

RetentionKeeper::RetentionKeeper(Parts parts)
    : parts_{std::move(parts)},
      time_{parts_.clock},
      failed_{"rounds of dropping what is old failed", parts_.clock} {}

RetentionKeeper::~RetentionKeeper() {
    stop();
    join();
}

void RetentionKeeper::start() {
    thread_ = std::thread{[this] {
        while (!waker_.stopped()) {
            turn();
            waker_.wait(interval);
        }
    }};
}

void RetentionKeeper::join() {
    if (thread_.joinable()) thread_.join();
}

std::optional<ledger::Dropped> RetentionKeeper::turn() {
    failed_.settle();
    try {
        const auto dropped = drop();
        if (dropped && dropped->jobs > 0) {
            spdlog::info("dropped {} jobs that were older than {} days, with {} chunks",
                         dropped->jobs, parts_.keep.count(), dropped->chunks);
        }
        return dropped;
    } catch (const std::exception& fault) {
        failed_.warn(describe(postgres::to_failure(fault, true, "drop what is old")));
        return std::nullopt;
    }
}

std::optional<ledger::Dropped> RetentionKeeper::drop() {
    postgres::Connection ledger{parts_.ledger_url, {}};
    if (!may_drop(ledger)) return std::nullopt;
    ledger::Dropped all;
    int faults = 0;
    do {
        if (!ledger::take_lease(ledger, retention_lease, parts_.holder, lease)) return std::nullopt;
        try {
            all += ledger::drop_old_jobs(ledger, parts_.keep);
            faults = 0;
        } catch (const pqxx::failure& fault) {
            if (!is_in_use(fault) || ++faults == faults_max) throw;
            all.more = true;
        }
        if (all.more) waker_.wait(pause);
    } while (all.more && !waker_.stopped());
    while (!waker_.stopped() && ledger::drop_leftovers(ledger, parts_.keep) > 0) {
        waker_.wait(pause);
    }
    ledger::give_back_lease(ledger, retention_lease, parts_.holder);
    return all;
}

bool RetentionKeeper::may_drop(postgres::Connection& ledger) {
    if (!ledger::knows_the_time(time_, ledger, parts_.clock)) return false;
    if (abs(time_.skew()) <= skew_max) return true;
    failed_.warn("the database's clock is far from this machine's: nothing is dropped");
    return false;
}

}  // namespace fanfare
