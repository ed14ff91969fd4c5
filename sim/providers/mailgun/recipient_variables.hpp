#pragma once

#include "sim/providers/mailgun/address_table.hpp"

#include <cstdint>
#include <string_view>

namespace fanfare::sim {

/// What a batch call says of its recipients.
struct VariablesFound {
    bool valid = false;         // A JSON object of objects.
    std::uint32_t entries = 0;  // Of addresses in the table, each once.
    bool empty = true;
};

/// Reads the recipient-variables of a call without building them: it is the largest part
/// of a batch.
[[nodiscard]] VariablesFound scan_recipient_variables(std::string_view text, AddressTable& table);

}  // namespace fanfare::sim
