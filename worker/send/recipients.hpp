#pragma once

#include "core/ledger/chunks.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fanfare {

/// The people of a claimed chunk and their devices, from pass to pass until the record.
struct Recipients : ledger::ChunkPeople {
    std::set<std::uint32_t> told;  // On one device while another is still open.
    // Whose devices have a final fate, and which.
    std::map<std::uint32_t, std::map<std::string, Fate, std::less<>>> served;
    std::vector<ledger::NewSuppression> suppressions;  // That the ledger is yet to be told.
    bool has_begun = false;                            // Since the claim a request of theirs.
    bool has_progressed = false;                       // Since the claim somebody came further.
};

}  // namespace fanfare
