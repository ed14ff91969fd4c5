#include "producer/console/sessions.hpp"

#include "core/crypto/digest.hpp"
#include "core/settings/text_rules.hpp"

#include <fmt/format.h>

#include <array>
#include <random>

namespace fanfare::console {
namespace {

constexpr std::string_view key_use{"fanfare console sessions 1"};
constexpr std::size_t sealed_bytes_max = 1'000;

std::string random_word() {
    std::random_device random;
    return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

/// The parts between points; nothing unless there are exactly so many.
template <std::size_t Count>
std::optional<std::array<std::string_view, Count>> split(std::string_view text) {
    std::array<std::string_view, Count> parts;
    for (std::size_t i = 0; i + 1 < Count; ++i) {
        const auto point = text.find('.');
        if (point == std::string_view::npos) return std::nullopt;
        parts[i] = text.substr(0, point);
        text.remove_prefix(point + 1);
    }
    if (text.find('.') != std::string_view::npos) return std::nullopt;
    parts[Count - 1] = text;
    return parts;
}

}  // namespace

Sessions::Sessions(const Secret& link_key, const Clock& clock)
    : key_{compute_hmac(Digest::sha256, link_key.empty() ? random_word() : link_key.reveal(),
                        key_use)},
      clock_{clock} {}

Session Sessions::begin(std::string client, std::string mark) const {
    const auto until = std::chrono::floor<std::chrono::seconds>(clock_.now() + life);
    return {std::move(client), std::move(mark), random_word(), until};
}

std::string Sessions::seal(const Session& session) const {
    const auto seconds = session.until.time_since_epoch() / std::chrono::seconds{1};
    auto text = fmt::format("{}.{}.{}.{}", session.client, session.mark, session.nonce, seconds);
    const auto tag = signature("cookie", text);
    return text.append(1, '.').append(tag);
}

std::optional<Session> Sessions::open(std::string_view sealed) const {
    if (sealed.size() > sealed_bytes_max) return std::nullopt;
    const auto parts = split<5>(sealed);
    if (!parts) return std::nullopt;
    const auto& [client, mark, nonce, seconds, tag] = *parts;
    const auto text = sealed.substr(0, sealed.size() - tag.size() - 1);
    if (!same_secret(signature("cookie", text), tag)) return std::nullopt;
    const auto until = parse_whole(seconds);
    if (!until) return std::nullopt;
    Session session{std::string{client}, std::string{mark}, std::string{nonce},
                    TimePoint{std::chrono::seconds{*until}}};
    if (session.until <= clock_.now()) return std::nullopt;
    return session;
}

std::string Sessions::form_word(const Session& session) const {
    return signature("form", session.client + '.' + session.nonce);
}

std::string Sessions::signature(std::string_view what, std::string_view text) const {
    return base64url(compute_hmac(Digest::sha256, key_, fmt::format("{}\n{}", what, text)));
}

}  // namespace fanfare::console
