#include "core/providers/apns/provider_token.hpp"

#include "core/crypto/digest.hpp"
#include "core/http/exchange.hpp"
#include "core/providers/apns/es256.hpp"
#include "core/providers/encoding.hpp"

#include <fmt/format.h>

namespace fanfare::apns {
namespace {

constexpr std::chrono::minutes renewed_at{45};
constexpr std::chrono::minutes renewed_not_before{20};

}  // namespace

std::string token_input(std::string_view key_id, std::string_view team_id, std::int64_t now_unix) {
    return base64url(fmt::format(R"({{"alg":"ES256","kid":"{}"}})", key_id)) + "." +
           base64url(fmt::format(R"({{"iss":"{}","iat":{}}})", team_id, now_unix));
}

ProviderToken::ProviderToken(std::string key_id, std::string team_id, PrivateKey key,
                             const Clock& clock)
    : key_id_{std::move(key_id)},
      team_id_{std::move(team_id)},
      key_{std::move(key)},
      clock_{clock} {}

std::shared_ptr<const std::string> ProviderToken::header() const {
    const std::lock_guard lock{mutex_};
    const auto moment = clock_.steady_now();
    if (header_ != nullptr && moment - made_at_ < renewed_at) return header_;
    const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now());
    header_ = std::make_shared<const std::string>(header_made_at(now.time_since_epoch()));
    made_at_ = moment;
    return header_;
}

std::string ProviderToken::common_header() const {
    const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch();
    return header_made_at(now - now % renewed_not_before);
}

std::string ProviderToken::header_made_at(std::chrono::seconds unix_time) const {
    const auto token = sign_es256(*key_, token_input(key_id_, team_id_, unix_time.count()));
    return header_line("authorization", "bearer " + token);
}

void ProviderToken::renew() {
    const std::lock_guard lock{mutex_};
    if (header_ != nullptr && clock_.steady_now() - made_at_ >= renewed_not_before) header_.reset();
}

}  // namespace fanfare::apns
