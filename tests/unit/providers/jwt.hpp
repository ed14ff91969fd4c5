#pragma once

#include <boost/json/object.hpp>

#include <string>

/// Looks at tokens and vectors without any of our signing code.
namespace fanfare::testing {

/// vectors.json, and a file beside it.
[[nodiscard]] boost::json::object vectors();
[[nodiscard]] std::string vector_file(const std::string& name);

[[nodiscard]] std::string from_base64url(std::string text);

/// The second part of a token.
[[nodiscard]] boost::json::object claims_of(const std::string& jwt);

/// True where the token is signed by the key's owner: RS256, or ES256 with r and s raw.
[[nodiscard]] bool is_signed(const std::string& jwt, const std::string& public_pem);

}  // namespace fanfare::testing
