#pragma once

#include "core/clock/clock.hpp"
#include "core/providers/private_key.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace fanfare::vonage {

/// What is signed: base64url(header) "." base64url(claims); good for 15 minutes.
[[nodiscard]] std::string app_token_input(std::string_view application_id, std::int64_t now_unix,
                                          std::string_view jti);

/// The RS256 token of a Vonage application, made here and kept for ten minutes.
///
/// Threads   any; one of them makes the new token while the others wait.
/// Lifetime  the clock outlives it.
class AppToken {
public:
    AppToken(std::string application_id, PrivateKey key, const Clock& clock);

    /// "Authorization: Bearer ..." as it is now.
    [[nodiscard]] std::shared_ptr<const std::string> header() const;

private:
    std::string application_id_;
    PrivateKey key_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    mutable SteadyTime made_at_{};
    mutable std::shared_ptr<const std::string> header_;
};

}  // namespace fanfare::vonage
