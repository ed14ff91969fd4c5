#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Digests, and the texts that bytes are written as. Total on any bytes.
namespace fanfare {

enum class Digest : unsigned char { md5, sha1, sha256, sha512 };

/// Raw bytes.
[[nodiscard]] std::string compute_digest(Digest digest, std::string_view bytes);
/// The same into `out`, which is reused.
void write_digest(Digest digest, std::string_view bytes, std::string& out);
[[nodiscard]] std::string compute_hmac(Digest digest, std::string_view key, std::string_view bytes);

[[nodiscard]] std::string hex(std::string_view bytes);  // Lower case.
[[nodiscard]] std::string base64(std::string_view bytes);
[[nodiscard]] std::string base64url(std::string_view bytes);  // Without padding.
void append_base64url(std::string_view bytes, std::string& out);

/// Strict: the one encoding of its bytes, padding and unused bits included.
[[nodiscard]] std::optional<std::string> base64_decoded(std::string_view text);
[[nodiscard]] std::optional<std::string> base64url_decoded(std::string_view text);

/// In a time that depends on the lengths only.
[[nodiscard]] bool same_secret(std::string_view left, std::string_view right) noexcept;

}  // namespace fanfare
