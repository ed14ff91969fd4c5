#include "core/providers/vonage/app_token.hpp"

#include "core/crypto/digest.hpp"
#include "core/error/failure.hpp"
#include "core/http/exchange.hpp"
#include "core/providers/encoding.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>

namespace fanfare::vonage {
namespace {

constexpr std::int64_t lifetime_seconds = 900;
constexpr std::chrono::minutes kept_for{10};

/// A random uuid (version 4).
std::string make_jti() {
    std::array<unsigned char, 16> bytes{};
    ensure(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1, "OpenSSL has entropy");
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0fU) | 0x40U);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3fU) | 0x80U);
    std::string uuid;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) uuid.push_back('-');
        uuid.append(fmt::format("{:02x}", bytes[i]));
    }
    return uuid;
}

}  // namespace

std::string app_token_input(std::string_view application_id, std::int64_t now_unix,
                            std::string_view jti) {
    const auto claims = fmt::format(R"({{"application_id":"{}","iat":{},"exp":{},"jti":"{}"}})",
                                    application_id, now_unix, now_unix + lifetime_seconds, jti);
    return base64url(R"({"typ":"JWT","alg":"RS256"})") + "." + base64url(claims);
}

AppToken::AppToken(std::string application_id, PrivateKey key, const Clock& clock)
    : application_id_{std::move(application_id)}, key_{std::move(key)}, clock_{clock} {}

std::shared_ptr<const std::string> AppToken::header() const {
    const std::lock_guard lock{mutex_};
    const auto moment = clock_.steady_now();
    if (header_ != nullptr && moment - made_at_ < kept_for) return header_;
    const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch();
    const auto input = app_token_input(application_id_, now.count(), make_jti());
    const auto token = input + "." + base64url(sign_sha256(*key_, input));
    header_ = std::make_shared<const std::string>(header_line("Authorization", "Bearer " + token));
    made_at_ = moment;
    return header_;
}

}  // namespace fanfare::vonage
