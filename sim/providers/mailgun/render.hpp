#pragma once

#include "sim/http/message.hpp"
#include "sim/http/multipart.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::sim {

/// The form of a call, multipart or URL-encoded, as parts. `arena` and `fields` keep what
/// had to be decoded.
[[nodiscard]] bool parse_mailgun_parts(const Request& request, std::string& arena,
                                       std::vector<Field>& fields, std::vector<Part>& parts);

/// The message as that recipient gets it: subject, text, html, to, headers, variables.
[[nodiscard]] std::optional<boost::json::object> render_mailgun(const Request& request,
                                                                std::string_view address);

}  // namespace fanfare::sim
