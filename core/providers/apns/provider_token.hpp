#pragma once

#include "core/clock/clock.hpp"
#include "core/providers/private_key.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace fanfare::apns {

/// What is signed: base64url(header) "." base64url(claims).
[[nodiscard]] std::string token_input(std::string_view key_id, std::string_view team_id,
                                      std::int64_t now_unix);

/// The provider token of a team, made here. Apple takes one for an hour, and no new one within
/// 20 minutes of the last: it is renewed at 45 minutes, and on request from 20 on.
///
/// Threads   any; one of them makes the new token while the others wait.
/// Lifetime  the clock outlives it.
class ProviderToken {
public:
    ProviderToken(std::string key_id, std::string team_id, PrivateKey key, const Clock& clock);

    /// "authorization: bearer ..." as it is now.
    [[nodiscard]] std::shared_ptr<const std::string> header() const;

    /// The same of a token that is made anew, and is one and the same for 20 minutes whoever makes
    /// it: for programs that ask and end.
    [[nodiscard]] std::string common_header() const;

    /// Makes a new one at the next call of header(), if Apple would take it.
    void renew();

private:
    [[nodiscard]] std::string header_made_at(std::chrono::seconds unix_time) const;

    std::string key_id_;
    std::string team_id_;
    PrivateKey key_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    mutable SteadyTime made_at_{};
    mutable std::shared_ptr<const std::string> header_;  // Null: to be made.
};

}  // namespace fanfare::apns
