#include "core/crypto/digest.hpp"

#include "core/crypto/method.hpp"
#include "core/error/failure.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace fanfare {
namespace {

constexpr std::string_view standard{
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"};
constexpr std::string_view url_safe{
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};

void append_encoded(std::string_view bytes, std::string_view alphabet, std::string& out) {
    unsigned int bits = 0;
    int held = 0;
    for (const char c : bytes) {
        bits = bits << 8 | static_cast<unsigned char>(c);
        for (held += 8; held >= 6; held -= 6) out.push_back(alphabet[bits >> (held - 6) & 63]);
    }
    if (held > 0) out.push_back(alphabet[bits << (6 - held) & 63]);
}

std::optional<std::string> decoded(std::string_view text, std::string_view alphabet) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string out;
    unsigned int bits = 0;
    int held = 0;
    for (const char c : text) {
        const auto value = alphabet.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        bits = bits << 6 | static_cast<unsigned int>(value);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        out.push_back(static_cast<char>(bits >> held & 255));
    }
    if ((bits & ((1U << held) - 1)) != 0) return std::nullopt;
    return out;
}

}  // namespace

const evp_md_st* find_method(Digest digest) noexcept {
    switch (digest) {
        case Digest::md5:
            return EVP_md5();
        case Digest::sha1:
            return EVP_sha1();
        case Digest::sha256:
            return EVP_sha256();
        case Digest::sha512:
            return EVP_sha512();
    }
    return EVP_sha256();
}

std::string compute_digest(Digest digest, std::string_view bytes) {
    std::string out;
    write_digest(digest, bytes, out);
    return out;
}

void write_digest(Digest digest, std::string_view bytes, std::string& out) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> made{};
    unsigned int length = 0;
    const int done =
        EVP_Digest(bytes.data(), bytes.size(), made.data(), &length, find_method(digest), nullptr);
    ensure(done == 1, "OpenSSL has this digest");
    out.assign(reinterpret_cast<const char*>(made.data()), length);
}

std::string compute_hmac(Digest digest, std::string_view key, std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned int length = 0;
    const auto* const made = HMAC(find_method(digest), key.data(), static_cast<int>(key.size()),
                                  reinterpret_cast<const unsigned char*>(bytes.data()),
                                  bytes.size(), out.data(), &length);
    ensure(made != nullptr, "OpenSSL has this digest");
    return {reinterpret_cast<const char*>(out.data()), length};
}

std::string hex(std::string_view bytes) {
    constexpr std::string_view digits{"0123456789abcdef"};
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out.push_back(digits[byte >> 4]);
        out.push_back(digits[byte & 15]);
    }
    return out;
}

std::string base64(std::string_view bytes) {
    std::string out;
    append_encoded(bytes, standard, out);
    while (out.size() % 4 != 0) out.push_back('=');
    return out;
}

std::string base64url(std::string_view bytes) {
    std::string out;
    append_base64url(bytes, out);
    return out;
}

void append_base64url(std::string_view bytes, std::string& out) {
    append_encoded(bytes, url_safe, out);
}

std::optional<std::string> base64_decoded(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    if (text.ends_with('=')) text.remove_suffix(text.ends_with("==") ? 2 : 1);
    return decoded(text, standard);
}

std::optional<std::string> base64url_decoded(std::string_view text) {
    return decoded(text, url_safe);
}

bool same_secret(std::string_view left, std::string_view right) noexcept {
    return left.size() == right.size() &&
           CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace fanfare
