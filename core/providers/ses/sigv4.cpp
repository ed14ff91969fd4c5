#include "core/providers/ses/sigv4.hpp"

#include "core/crypto/digest.hpp"

#include <fmt/format.h>

#include <chrono>

namespace fanfare::ses {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

}  // namespace

std::string amz_date(std::int64_t unix_s) {
    using namespace std::chrono;
    const sys_seconds moment{seconds{unix_s}};
    const auto midnight = floor<days>(moment);
    const year_month_day date{midnight};
    const hh_mm_ss time{moment - midnight};
    return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       time.hours().count(), time.minutes().count(), time.seconds().count());
}

std::string sha256_hex(std::string_view bytes) {
    return hex(compute_digest(Digest::sha256, bytes));
}

std::string signed_headers(const RequestToSign& request) {
    std::string names;
    if (!request.content_type.empty()) names.append("content-type;");
    names.append("host;x-amz-date");
    if (!request.session_token.empty()) names.append(";x-amz-security-token");
    return names;
}

std::string canonical_request(const RequestToSign& request) {
    std::string out{request.method};
    out.append("\n").append(request.path).append("\n\n");  // An empty query.
    const auto append = [&out](std::string_view name, std::string_view value) {
        if (!value.empty()) out.append(name).append(":").append(value).append("\n");
    };
    append("content-type", request.content_type);
    append("host", request.host);
    append("x-amz-date", request.date);
    append("x-amz-security-token", request.session_token);
    out.append("\n").append(signed_headers(request)).append("\n");
    return out.append(sha256_hex(request.body));
}

std::string string_to_sign(std::string_view date, std::string_view scope,
                           std::string_view canonical_request) {
    return fmt::format("{}\n{}\n{}\n{}", algorithm, date, scope, sha256_hex(canonical_request));
}

SigningKeys derive_keys(const Secret& secret, std::string_view day, std::string_view region,
                        std::string_view service) {
    SigningKeys keys;
    keys.date = compute_hmac(Digest::sha256, "AWS4" + std::string{secret.reveal()}, day);
    keys.region = compute_hmac(Digest::sha256, keys.date, region);
    keys.service = compute_hmac(Digest::sha256, keys.region, service);
    keys.signing = compute_hmac(Digest::sha256, keys.service, "aws4_request");
    return keys;
}

Signer::Signer(AwsCredentials credentials, std::string region, std::string service)
    : credentials_{std::move(credentials)},
      region_{std::move(region)},
      service_{std::move(service)} {}

std::string Signer::derive_key(std::string_view day) const {
    const std::lock_guard lock{mutex_};
    if (day_ != day) {
        key_ = derive_keys(credentials_.secret_access_key, day, region_, service_).signing;
        day_ = day;
    }
    return key_;
}

std::string Signer::authorization(RequestToSign request) const {
    request.session_token = credentials_.session_token;
    const auto day = request.date.substr(0, 8);
    const auto scope = fmt::format("{}/{}/{}/aws4_request", day, region_, service_);
    const auto text = string_to_sign(request.date, scope, canonical_request(request));
    return fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", algorithm,
                       credentials_.access_key_id, scope, signed_headers(request),
                       hex(compute_hmac(Digest::sha256, derive_key(day), text)));
}

}  // namespace fanfare::ses
