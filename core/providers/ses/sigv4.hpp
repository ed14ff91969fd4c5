#pragma once

#include "core/settings/secret.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

/// AWS Signature Version 4 of a request without query, step by step.
namespace fanfare::ses {

struct AwsCredentials {
    std::string access_key_id;
    Secret secret_access_key;
    std::string session_token;  // Of temporary credentials; "" for none.
};

/// What of a request is signed. Header values are trimmed, and hold no runs of blanks.
struct RequestToSign {
    std::string_view host{};  // As in the Host header, with its port where there is one.
    std::string_view path{};
    std::string_view content_type{};  // "": no such header.
    std::string_view date{};          // amz_date()
    std::string_view session_token{};
    std::string_view body{};
    std::string_view method = "POST";
};

/// "20260101T000000Z"
[[nodiscard]] std::string amz_date(std::int64_t unix_s);

[[nodiscard]] std::string sha256_hex(std::string_view bytes);

/// "content-type;host;x-amz-date": the names of the headers that are signed.
[[nodiscard]] std::string signed_headers(const RequestToSign& request);
[[nodiscard]] std::string canonical_request(const RequestToSign& request);
[[nodiscard]] std::string string_to_sign(std::string_view date, std::string_view scope,
                                         std::string_view canonical_request);

/// The four keys, each made with the one before. `day` is "20260101".
struct SigningKeys {
    std::string date;
    std::string region;
    std::string service;
    std::string signing;
};
[[nodiscard]] SigningKeys derive_keys(const Secret& secret, std::string_view day,
                                      std::string_view region, std::string_view service);

/// Signs requests to one service in one region.
///
/// Threads   any; the signing key is kept for its UTC day, behind a lock.
class Signer {
public:
    Signer(AwsCredentials credentials, std::string region, std::string service);

    /// The value of the header Authorization; adds the session token to what is signed.
    [[nodiscard]] std::string authorization(RequestToSign request) const;

    [[nodiscard]] const std::string& session_token() const noexcept {
        return credentials_.session_token;
    }

private:
    [[nodiscard]] std::string derive_key(std::string_view day) const;

    AwsCredentials credentials_;
    std::string region_;
    std::string service_;
    mutable std::mutex mutex_;
    mutable std::string day_;
    mutable std::string key_;
};

}  // namespace fanfare::ses
