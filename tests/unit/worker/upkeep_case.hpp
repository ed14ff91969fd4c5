#pragma once

#include "core/clock/virtual_time.hpp"
#include "core/settings/settings.hpp"
#include "tests/support/coroutines.hpp"
#include "worker/probes/probes.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include <memory>

namespace fanfare {

/// What runs beside sending, under a time that a test moves.
class UpkeepCase : public ::testing::Test {
protected:
    UpkeepCase() { time.attach(loop); }

    static Failure away() { return fail(Errc::store_unavailable, "ask"); }

    /// Ten rounds of one that looks each second, and its end.
    void run_and_stop(auto& upkeep) {
        test::begin(loop, upkeep.run());
        time.run_for(std::chrono::seconds{10});
        upkeep.stop();
        time.run_for(std::chrono::seconds{10});
    }

    VirtualTime time{TimePoint{std::chrono::seconds{1'800'000'000}}};
    WorkerSettings settings;
    WorkerProbe probe{std::make_shared<prometheus::Registry>()};
    boost::asio::io_context loop{1};
    bool is_away = false;  // The ledger.
};

}  // namespace fanfare
