#pragma once

#include "core/providers/classification.hpp"

#include <boost/json/value.hpp>

#include <optional>

namespace fanfare::vonage {

/// What a problem document of Vonage's says, by both APIs. Others write problem documents too:
/// only a `type` at Vonage's own site makes it theirs.
struct Problem {
    ErrorDocument document;
    std::optional<int> code;       // The number behind '#' of the type; nothing for a word.
    bool is_of_recipient = false;  // Too many texts to one number.
};

[[nodiscard]] Problem read_problem(const boost::json::value& body);

}  // namespace fanfare::vonage
