#include "core/ledger/retention_round.hpp"

#include "core/ledger/lease.hpp"

namespace fanfare::ledger {
namespace {

using End = RetentionRound::End;

/// What passes by itself: somebody was at work on an old chunk.
bool is_in_use(const pqxx::failure& fault) {
    return postgres::to_failure(fault, true, {}).code == Errc::store_conflict;
}

End may_go_on(const RetentionRound::Parts& parts, const WakeSignal& waker) {
    if (waker.stopped()) return End::stopped;
    if (!knows_the_time(parts.time, parts.ledger, parts.clock)) return End::clock_in_doubt;
    if (abs(parts.time.skew()) > RetentionRound::skew_max) return End::clock_far;
    const auto held =
        take_lease(parts.ledger, RetentionRound::lease_name, parts.holder, RetentionRound::lease);
    return held ? End::done : End::somebody_else;
}

}  // namespace

RetentionRound drop_all_old(const RetentionRound::Parts& parts, WakeSignal& waker) {
    RetentionRound round;
    const auto go_on = [&] {
        round.end = may_go_on(parts, waker);
        return round.end == End::done;
    };
    int conflicts = 0;
    bool more = true;
    while (more && go_on()) {
        try {
            round.dropped += drop_old_jobs(parts.ledger, parts.keep);
            more = round.dropped.more;
            conflicts = 0;
        } catch (const pqxx::failure& fault) {
            if (!is_in_use(fault) || ++conflicts == RetentionRound::conflicts_max) throw;
        }
        if (more) waker.wait(RetentionRound::pause);
    }
    for (more = round.end == End::done; more && go_on();) {
        const auto leftovers = drop_leftovers(parts.ledger, parts.keep);
        round.leftovers += leftovers;
        more = leftovers > 0;
        if (more) waker.wait(RetentionRound::pause);
    }
    if (round.end != End::somebody_else) {
        give_back_lease(parts.ledger, RetentionRound::lease_name, parts.holder);
    }
    return round;
}

std::string describe(RetentionRound::End end) {
    switch (end) {
        case End::done:
        case End::stopped:
            return {};
        case End::somebody_else:
            return "another program is dropping what is old just now";
        case End::clock_in_doubt:
            return "the database's clock has jumped: nothing is dropped before it has stood for a "
                   "minute";
        case End::clock_far:
            return "the database's clock is more than an hour from this machine's: nothing is "
                   "dropped";
    }
    return {};
}

}  // namespace fanfare::ledger
