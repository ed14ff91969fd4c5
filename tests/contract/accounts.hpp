#pragma once

#include "core/clock/clock.hpp"
#include "core/providers/provider.hpp"
#include "core/settings/settings.hpp"

#include <memory>
#include <string>

/// A complete account of each provider, for tests to use or to spoil.
namespace fanfare::testing {

inline constexpr std::int64_t test_now = 1'767'225'600;  // 2026-01-01T00:00:00Z

/// Stands at test_now.
[[nodiscard]] const Clock& test_clock();

[[nodiscard]] AccountSettings mailgun_account();
[[nodiscard]] AccountSettings sendgrid_account();
[[nodiscard]] AccountSettings ses_account();
[[nodiscard]] AccountSettings smtp_account();
[[nodiscard]] AccountSettings twilio_account();
[[nodiscard]] AccountSettings fcm_account();
[[nodiscard]] AccountSettings vonage_account();
[[nodiscard]] AccountSettings vonage_messages_account();  // Signed in as an application.
[[nodiscard]] AccountSettings apns_account();

/// A key pair made for this process.
struct KeyPair {
    std::string private_pem;
    std::string public_pem;
};
[[nodiscard]] const KeyPair& generated_key_pair();
[[nodiscard]] const KeyPair& generated_curve_pair();  // P-256
[[nodiscard]] KeyPair fresh_curve_pair();             // Another one.

/// A service account's key file with the generated key.
[[nodiscard]] std::string service_account_json();

/// The account's provider, with callbacks and the test clock; throws its problems.
[[nodiscard]] std::unique_ptr<Provider> open(const AccountSettings& account);

}  // namespace fanfare::testing
