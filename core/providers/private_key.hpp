#pragma once

#include "core/handle/handle.hpp"

#include <openssl/evp.h>

#include <string>
#include <string_view>

namespace fanfare {

using PrivateKey = Handle<EVP_PKEY, EVP_PKEY_free>;

/// The key in a PEM text (PKCS#8 or the older forms), if it is of that type ("RSA", "EC");
/// null otherwise. Never asks for a pass phrase.
[[nodiscard]] PrivateKey parse_private_key(std::string_view pem, const char* type);

/// The signature over the SHA-256 of `input`: PKCS#1 v1.5 by an RSA key, DER by an EC key.
///
/// Threads   one key may sign on several threads at once.
[[nodiscard]] std::string sign_sha256(EVP_PKEY& key, std::string_view input);

}  // namespace fanfare
