#pragma once

#include "sim/providers/provider.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace fanfare::sim {

/// One error of a SendGrid 400.
struct SendGridError {
    std::string message;
    std::string field;  // "": null.
};

/// Checks a mail/send body as a whole and collects recipients, leaks and missing values into
/// `checked`. Returns all errors found; none for a good one. Views go into the arena.
[[nodiscard]] std::vector<SendGridError> check_mail(const boost::json::object& mail,
                                                    std::int64_t now_s, Checked& checked);

/// The text under `key`; "" where there is none.
[[nodiscard]] std::string_view text_at(const boost::json::object& object, std::string_view key);

}  // namespace fanfare::sim
