#include "worker/sweep/ledger_time.hpp"

namespace fanfare {

boost::asio::awaitable<Result<ledger::ClockReading>> DatabaseLedgerTime::read() {
    return ledger_.run("read the database's clock", [this](postgres::Connection& ledger) {
        return ledger::read_clock(ledger, own_);
    });
}

boost::asio::awaitable<Result<std::size_t>> DatabaseLedgerTime::mend(
    std::chrono::milliseconds lease, std::chrono::milliseconds republish_after,
    TimePoint believed) {
    return ledger_.run("set moments right", [=](postgres::Connection& ledger) {
        return ledger::mend_moments(ledger, lease, republish_after, believed);
    });
}

}  // namespace fanfare
