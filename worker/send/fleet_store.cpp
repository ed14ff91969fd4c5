#include "worker/send/fleet_store.hpp"

namespace fanfare {

boost::asio::awaitable<Result<ledger::FleetState>> LedgerFleetStore::read() {
    return ledger_.run("look at what is held back", [](postgres::Connection& ledger) {
        return ledger::read_fleet_state(ledger);
    });
}

boost::asio::awaitable<Result<void>> LedgerFleetStore::tell(
    const std::string& worker, std::span<const ledger::AccountHealth> news) {
    return ledger_.run("tell of accounts", [&worker, news](postgres::Connection& ledger) {
        ledger::tell_health(ledger, worker, news);
    });
}

}  // namespace fanfare
