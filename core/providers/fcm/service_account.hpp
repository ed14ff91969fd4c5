#pragma once

#include "core/providers/private_key.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::fcm {

/// Google's key file of a service account, as far as sending needs it.
///
/// Threads   const functions on any thread.
struct ServiceAccount {
    std::string project_id;  // "" where the file names none.
    std::string client_email;
    std::string private_key_id;
    std::string token_uri;   // Also the audience of the assertion.
    PrivateKey private_key;  // RSA.
};

/// Reads the key file's JSON; nothing where a field is missing or the key is no RSA key.
[[nodiscard]] std::optional<ServiceAccount> parse_service_account(std::string_view text);

/// What is signed: base64url(header) "." base64url(claims); good for one hour from `now_unix`.
[[nodiscard]] std::string assertion_input(const ServiceAccount& account, std::int64_t now_unix);

/// The RS256 JWT that buys an access token.
[[nodiscard]] std::string sign_assertion(const ServiceAccount& account, std::int64_t now_unix);

}  // namespace fanfare::fcm
