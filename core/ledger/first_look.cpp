#include "core/ledger/first_look.hpp"

#include "core/ledger/compat.hpp"
#include "core/program/exit_codes.hpp"

#include <spdlog/spdlog.h>
#include <boost/asio/signal_set.hpp>

#include <chrono>
#include <csignal>

namespace fanfare::ledger {
namespace {

constexpr std::chrono::milliseconds look_again_after{200};

}  // namespace

std::optional<int> wait_for_ledger(const Settings& settings, boost::asio::io_context& loop,
                                   std::atomic<bool>& stopping) {
    boost::asio::signal_set signals{loop, SIGTERM, SIGINT};
    signals.async_wait([&stopping](const boost::system::error_code& fault, int) {
        if (!fault) stopping = true;
    });
    const auto fits = await_fit(settings.database.url, [&] {
        loop.run_for(look_again_after);
        loop.restart();
        return !stopping.load();
    });
    loop.poll();  // A signal that came meanwhile is heard before nobody waits for one.
    signals.cancel();
    loop.poll();
    loop.restart();
    if (stopping) return exit_ok;
    if (fits) return std::nullopt;  // It was not given up: only who is stopping does that.
    spdlog::critical("{}", describe(fits.error()));
    return fits.error().code == Errc::config_invalid ? exit_config : exit_unavailable;
}

}  // namespace fanfare::ledger
