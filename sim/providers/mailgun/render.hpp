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

/// Replaces %recipient.name% by that recipient's variable and %recipient% by its address.
/// What has no variable stays as it is: the person sees it.
[[nodiscard]] std::string substituted(std::string_view text, std::string_view address,
                                      const boost::json::object& variables);

/// The message as that recipient gets it: subject, text, html, to, headers, variables.
[[nodiscard]] std::optional<boost::json::object> render_mailgun(const Request& request,
                                                                std::string_view address);

}  // namespace fanfare::sim
