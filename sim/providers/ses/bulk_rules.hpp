#pragma once

#include "sim/providers/provider.hpp"
#include "sim/providers/ses/signature.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace fanfare::sim {

/// What SES says of one entry that it does not take; "" where it takes it.
struct EntryFault {
    std::string_view status = {};
    std::string text = {};
};

/// Checks a SendBulkEmail body and collects recipients, leaks and missing values into
/// `checked`. `faults` gets one element an entry. Views go into the arena.
[[nodiscard]] SesError check_bulk(const boost::json::object& call, Checked& checked,
                                  std::vector<EntryFault>& faults);

}  // namespace fanfare::sim
