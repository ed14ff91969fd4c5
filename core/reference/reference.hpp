#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/settings/secret.hpp"

#include <cstdint>
#include <memory>
#include <optional>
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

/// Makes and checks the references that travel in providers' custom data and in unsubscribe
/// links: "<job>.<chunk>.<position>.<tag>". The tag proves that we made it, for that channel;
/// it holds no personal data, and one person's tag says nothing of another's.
///
/// The tags of a chunk are a ChaCha20 keystream under a key derived from the link key and the
/// chunk, eight bytes a position: making a thousand costs one derivation.
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

private:
    [[nodiscard]] std::string keystream(std::string_view job, Channel channel, std::uint32_t chunk,
                                        std::size_t first, std::size_t count) const;
    Secret key_;
};

}  // namespace fanfare
