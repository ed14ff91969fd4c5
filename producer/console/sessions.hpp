#pragma once

#include "core/clock/clock.hpp"
#include "core/settings/secret.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::console {

/// Somebody who has signed in with the token of a client, in one browser.
struct Session {
    std::string client;
    std::string mark;   // api::Identity::mark of the token.
    std::string nonce;  // Of this signing in alone.
    TimePoint until;
    auto operator<=>(const Session&) const = default;
};

/// Seals sessions into cookies that any producer with the same link key opens, and makes the words
/// that forms prove themselves with. Nothing is stored: a session ends with its time, with the
/// token that it came from, or when the browser is told to forget it.
///
/// Without a link key a key is drawn: sessions are this process's own then.
///
/// Threads   const functions on any thread.
class Sessions {
public:
    static constexpr std::chrono::hours life{12};

    Sessions(const Secret& link_key, const Clock& clock);

    [[nodiscard]] Session begin(std::string client, std::string mark) const;
    /// Printable, without characters that mean something in a cookie.
    [[nodiscard]] std::string seal(const Session& session) const;
    /// Nothing for what we did not seal, or is over.
    [[nodiscard]] std::optional<Session> open(std::string_view sealed) const;

    /// What a form of this session brings along; a page of another origin cannot know it.
    [[nodiscard]] std::string form_word(const Session& session) const;

private:
    [[nodiscard]] std::string signature(std::string_view what, std::string_view text) const;

    std::string key_;
    const Clock& clock_;
};

}  // namespace fanfare::console
