#include "worker/send/dead_addresses.hpp"

#include "core/ledger/addresses.hpp"

#include <pqxx/nontransaction>

#include <spdlog/spdlog.h>

namespace fanfare {

namespace asio = boost::asio;

asio::awaitable<void> DatabaseDeadAddresses::suppress(const Claim& claim, Pass& pass) {
    if (pass.dead.empty() && pass.opted_out.empty()) co_return;
    std::vector<ledger::NewSuppression> suppressions;
    for (const auto& address : pass.dead) {
        suppressions.push_back({address, std::string{to_string(Reason::address_invalid)}});
    }
    for (const auto& address : pass.opted_out) suppressions.push_back({address, "unsubscribed"});
    auto done = co_await ledger_.run("suppress addresses", [&](postgres::Connection& ledger) {
        ledger::add_suppressions(ledger, claim.key.channel, suppressions, "provider");
    });
    if (!done) spdlog::warn("{}", describe(done.error()));
    if (pass.dead_as_written.empty()) co_return;  // Those who opted out are not dead.
    co_await write_back(*claim.job, claim.key.channel, std::move(pass.dead_as_written));
}

/// Tells the system which addresses are dead, where it wants to know.
asio::awaitable<void> DatabaseDeadAddresses::write_back(const JobContext& job, Channel channel,
                                                        std::vector<std::string> addresses) {
    const auto& query = job.system->write_backs[static_cast<std::size_t>(channel)];
    if (!query) co_return;
    auto& writer = job_contexts_.find_writer(*job.system);
    auto done = co_await writer.run("write dead addresses back", [&](postgres::Connection& source) {
        pqxx::nontransaction work{source.raw()};
        work.exec_params(query->sql, postgres::to_array_literal(addresses));
    });
    if (!done) {
        spdlog::warn("system {}: {}; the addresses are suppressed here all the same",
                     job.system->name, describe(done.error()));
    }
}

}  // namespace fanfare
