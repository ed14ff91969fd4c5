#include "core/reference/reference.hpp"

#include "core/crypto/digest.hpp"
#include "core/domain/number.hpp"
#include "core/domain/uuid.hpp"
#include "core/error/failure.hpp"
#include "core/handle/handle.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace fanfare {
namespace {

using CipherContext = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

constexpr std::size_t tag_bytes = 8;
constexpr std::size_t tag_characters = 11;  // Base64url without padding.

void append_tag(const char* bytes, std::string& out) {
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < tag_bytes; ++i) {
        value = value << 8 | static_cast<unsigned char>(bytes[i]);
    }
    // 64 bits are ten characters of six bits, and four bits more.
    for (int shift = 58; shift >= 4; shift -= 6) out.push_back(alphabet[value >> shift & 63]);
    out.push_back(alphabet[(value & 15) << 2]);
}

constexpr std::size_t seal_bytes = 16;  // One block: the mark, then the position.

void append_block(const MarkedPlace& place, std::string& blocks) {
    blocks.append(place.mark.data(), place.mark.size());
    for (int shift = 56; shift >= 0; shift -= 8) {
        blocks.push_back(static_cast<char>(std::uint64_t{place.position} >> shift & 255));
    }
}

/// Whole blocks there or back.
std::string code_blocks(const std::string& key, std::string_view blocks, bool there) {
    const CipherContext cipher{EVP_CIPHER_CTX_new()};
    std::string out(blocks.size() + seal_bytes, '\0');
    int written = 0;
    const bool good =
        cipher != nullptr &&
        EVP_CipherInit_ex(cipher.get(), EVP_aes_256_ecb(), nullptr,
                          reinterpret_cast<const unsigned char*>(key.data()), nullptr,
                          there ? 1 : 0) == 1 &&
        EVP_CIPHER_CTX_set_padding(cipher.get(), 0) == 1 &&
        EVP_CipherUpdate(cipher.get(), reinterpret_cast<unsigned char*>(out.data()), &written,
                         reinterpret_cast<const unsigned char*>(blocks.data()),
                         static_cast<int>(blocks.size())) == 1;
    ensure(good && static_cast<std::size_t>(written) == blocks.size(), "AES is available");
    out.resize(blocks.size());
    return out;
}

/// A decimal number without sign or leading zeros.
std::optional<std::uint32_t> parse_plain(std::string_view text) {
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    return parse_number<std::uint32_t>(text);
}

}  // namespace

References::References(const Secret& link_key) : key_{link_key} {}
References::~References() = default;
References::References(References&&) noexcept = default;

std::string References::keystream(std::string_view job, Channel channel, std::uint32_t chunk,
                                  std::size_t first, std::size_t count) const {
    const auto label = fmt::format("fanfare reference {}.{}.{}", job, to_string(channel), chunk);
    const auto chunk_key = compute_hmac(Digest::sha256, key_.reveal(), label);
    // Blocks have 64 bytes: begin at the one that holds the first position.
    const auto block = first * tag_bytes / 64;
    const auto skip = first * tag_bytes - block * 64;
    std::array<unsigned char, 16> start{};  // Counter (little endian), then the nonce: zero.
    for (std::size_t i = 0; i < 4; ++i) {
        start[i] = static_cast<unsigned char>(block >> 8 * i & 255);
    }
    const CipherContext cipher{EVP_CIPHER_CTX_new()};
    std::string zeros(skip + count * tag_bytes, '\0');
    std::string stream(zeros.size(), '\0');
    int written = 0;
    const bool good =
        cipher != nullptr &&
        EVP_EncryptInit_ex(cipher.get(), EVP_chacha20(), nullptr,
                           reinterpret_cast<const unsigned char*>(chunk_key.data()),
                           start.data()) == 1 &&
        EVP_EncryptUpdate(cipher.get(), reinterpret_cast<unsigned char*>(stream.data()), &written,
                          reinterpret_cast<const unsigned char*>(zeros.data()),
                          static_cast<int>(zeros.size())) == 1;
    ensure(good && static_cast<std::size_t>(written) == zeros.size(), "ChaCha20 is available");
    stream.erase(0, skip);
    return stream;
}

void References::write_refs(std::string_view job, Channel channel, std::uint32_t chunk,
                            std::size_t count, std::vector<std::string>& refs) const {
    ensure(count <= chunk_recipients_max, "a chunk has at most 1,000,000 recipients");
    refs.resize(count);
    std::string stream;
    if (has_key()) stream = keystream(job, channel, chunk, 0, count);
    for (std::size_t i = 0; i < count; ++i) {
        std::array<char, 12> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), i).ptr;
        auto& ref = refs[i];
        ref.assign(digits.data(), end);
        if (stream.empty()) continue;
        ref.push_back('.');
        append_tag(stream.data() + i * tag_bytes, ref);
    }
}

std::string References::seal_key(std::string_view job, std::uint32_t chunk) const {
    return compute_hmac(Digest::sha256, key_.reveal(),
                        fmt::format("fanfare seal {}.{}", job, chunk));
}

void References::write_seals(std::string_view job, std::uint32_t chunk,
                             std::span<const MarkedPlace> places, std::string& seals) const {
    seals.clear();
    if (!has_key() || places.empty()) return;
    std::string blocks;
    blocks.reserve(places.size() * seal_bytes);
    for (const auto& place : places) append_block(place, blocks);
    const auto sealed = code_blocks(seal_key(job, chunk), blocks, true);
    seals.reserve(places.size() * seal_characters);
    for (std::size_t i = 0; i < places.size(); ++i) {
        append_base64url(std::string_view{sealed}.substr(i * seal_bytes, seal_bytes), seals);
    }
}

std::optional<std::string> References::read_seal(const Reference& reference,
                                                 std::string_view seal) const {
    const auto sealed = base64url_decoded(seal);
    if (!has_key() || !sealed || sealed->size() != seal_bytes) return std::nullopt;
    const auto block = code_blocks(seal_key(reference.job, reference.chunk), *sealed, false);
    MarkedPlace place{.position = reference.position};
    std::copy_n(block.begin(), place.mark.size(), place.mark.begin());
    std::string expected;
    append_block(place, expected);
    if (block != expected) return std::nullopt;
    return block.substr(0, address_mark_bytes);
}

std::optional<Reference> References::read(std::string_view text, Channel channel) const {
    if (!has_key()) return std::nullopt;
    std::array<std::string_view, 4> parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto dot = text.find('.');
        if ((dot == std::string_view::npos) != (i + 1 == parts.size())) return std::nullopt;
        parts[i] = text.substr(0, dot);
        if (dot != std::string_view::npos) text.remove_prefix(dot + 1);
    }
    const auto chunk = parse_plain(parts[1]);
    const auto position = parse_plain(parts[2]);
    const auto tag = parts[3];
    if (!is_uuid(parts[0]) || !chunk || !position || *position >= chunk_recipients_max ||
        tag.size() != tag_characters) {
        return std::nullopt;
    }
    std::string expected;
    append_tag(keystream(parts[0], channel, *chunk, *position, 1).data(), expected);
    if (CRYPTO_memcmp(expected.data(), tag.data(), tag_characters) != 0) return std::nullopt;
    return Reference{std::string{parts[0]}, channel, *chunk, *position};
}

}  // namespace fanfare
