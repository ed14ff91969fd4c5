#include "worker/send/dead_addresses.hpp"

#include <pqxx/nontransaction>

#include <spdlog/spdlog.h>

namespace fanfare {

namespace asio = boost::asio;

asio::awaitable<void> DatabaseDeadAddresses::tell(const Claim& claim,
                                                  std::vector<std::string> addresses) {
    if (addresses.empty()) co_return;
    const auto& system = *claim.job->system;
    const auto& query = system.write_backs[static_cast<std::size_t>(claim.key.channel)];
    if (!query) co_return;
    auto& writer = job_contexts_.find_writer(system);
    auto done = co_await writer.run("write dead addresses back", [&](postgres::Connection& source) {
        pqxx::nontransaction work{source.raw()};
        work.exec_params(query->sql, postgres::to_array_literal(addresses));
    });
    if (!done) {
        spdlog::warn("system {}: {}; the addresses are suppressed here all the same", system.name,
                     describe(done.error()));
    }
}

}  // namespace fanfare
