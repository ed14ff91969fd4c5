#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/settings/secret.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// A chunk has no more, wherever its positions are written.
inline constexpr std::uint32_t chunk_recipients_max = 1'000'000;

/// One person's send: which job, which chunk, which place in it.
struct Reference {
    std::string job;  // The job's uuid, lower case.
    Channel channel = Channel::email;
    std::uint32_t chunk = 0;
    std::uint32_t position = 0;
    auto operator<=>(const Reference&) const = default;
};

/// Of the hash by which the ledger knows an address, what a link has of it: so many bytes.
inline constexpr std::size_t address_mark_bytes = 8;

/// Characters of a seal: one block in base64url.
inline constexpr std::size_t seal_characters = 22;

/// One person's place in a chunk, and the mark of the address that their message goes to.
struct MarkedPlace {
    std::uint32_t position = 0;
    std::array<char, address_mark_bytes> mark{};
};

/// Makes and checks the references that travel in providers' custom data and in unsubscribe
/// links: "<job>.<chunk>.<position>.<tag>". The tag proves that we made it, for that channel;
/// it holds no personal data, and one person's tag says nothing of another's.
///
/// The tags of a chunk are a ChaCha20 keystream under a key derived from the link key and the
/// chunk, eight bytes a position: making a thousand costs one derivation.
///
/// A seal is one block of AES-256 under a key of the chunk's own: mark and position together, so
/// that none can be changed, or moved to another's link.
///
/// Bounds    positions below chunk_recipients_max.
/// Threads   const functions on any thread.
class References {
public:
    /// Without a key tags are left out, and read() refuses everything.
    explicit References(const Secret& link_key);
    ~References();
    References(References&&) noexcept;

    [[nodiscard]] bool has_key() const noexcept { return !key_.empty(); }

    /// "<position>.<tag>" for each position below `count`, into `refs` (reused).
    void write_refs(std::string_view job, Channel channel, std::uint32_t chunk, std::size_t count,
                    std::vector<std::string>& refs) const;

    /// What a whole reference names; nothing unless we made it for this channel.
    [[nodiscard]] std::optional<Reference> read(std::string_view text, Channel channel) const;

    /// What stands behind a link of RFC 8058: the mark of the address, sealed for that place of an
    /// e-mail chunk alone. With it the link works when the chunk is no longer kept. Into `seals`
    /// (reused), seal_characters for each of `places`, one after the other; "" without a key.
    void write_seals(std::string_view job, std::uint32_t chunk, std::span<const MarkedPlace> places,
                     std::string& seals) const;

    /// The mark; nothing unless we sealed it for this place.
    [[nodiscard]] std::optional<std::string> read_seal(const Reference& reference,
                                                       std::string_view seal) const;

private:
    [[nodiscard]] std::string seal_key(std::string_view job, std::uint32_t chunk) const;
    [[nodiscard]] std::string keystream(std::string_view job, Channel channel, std::uint32_t chunk,
                                        std::size_t first, std::size_t count) const;
    Secret key_;
};

}  // namespace fanfare
