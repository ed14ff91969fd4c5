#pragma once

#include "tests/simulation/provider_model.hpp"

#include <map>
#include <string>
#include <vector>

namespace fanfare::simulation {

/// What is to be said of a world in the end: four sets of people, and what was seen on the way.
struct Verdict {
    std::string broken;  // The first thing that must never be; "" for none.
    std::vector<std::string> lost, doubled, falsely_sent, unexpected;

    [[nodiscard]] bool is_good() const {
        return broken.empty() && lost.empty() && doubled.empty() && falsely_sent.empty() &&
               unexpected.empty();
    }
    /// The first of it, in one line; "" where all is as promised.
    [[nodiscard]] std::string first() const;
};

/// Compares what the ledger says with what the providers know.
[[nodiscard]] Verdict judge(const WorldPlan& plan, const StoreModel& store, const Inbox& inbox,
                            const std::map<std::string, StoreModel::NewJob>& orders);

}  // namespace fanfare::simulation
