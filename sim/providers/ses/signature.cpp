#include "sim/providers/ses/signature.hpp"

#include "sim/http/text.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <vector>

namespace fanfare::sim {

namespace {

constexpr std::int64_t clock_difference_max_s = 300;
constexpr std::string_view algorithm = "AWS4-HMAC-SHA256 ";

std::string hex(const unsigned char* bytes, std::size_t size) {
    std::string out;
    for (std::size_t i = 0; i < size; ++i) out.append(fmt::format("{:02x}", bytes[i]));
    return out;
}

std::string sha256_hex(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
    return hex(digest.data(), size);
}

std::string hmac(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
    return {reinterpret_cast<const char*>(digest.data()), size};
}

/// Authorization, taken apart.
struct Authorization {
    std::string_view key;    // AKID
    std::string_view scope;  // 20260101/us-east-1/ses/aws4_request
    std::string_view names;  // content-type;host;x-amz-date
    std::string_view signature;
};

std::optional<Authorization> read_authorization(std::string_view value) {
    if (!value.starts_with(algorithm)) return std::nullopt;
    value.remove_prefix(algorithm.size());
    Authorization found;
    while (!value.empty()) {
        const auto end = std::min(value.find(','), value.size());
        const auto part = trimmed(value.substr(0, end));
        value.remove_prefix(std::min(end + 1, value.size()));
        const auto equals = part.find('=');
        if (equals == part.npos) return std::nullopt;
        const auto name = part.substr(0, equals);
        const auto text = part.substr(equals + 1);
        if (name == "Credential") {
            const auto slash = text.find('/');
            if (slash == text.npos) return std::nullopt;
            found.key = text.substr(0, slash);
            found.scope = text.substr(slash + 1);
        } else if (name == "SignedHeaders") {
            found.names = text;
        } else if (name == "Signature") {
            found.signature = text;
        }
    }
    const bool complete = !found.key.empty() && !found.names.empty() && !found.signature.empty();
    return complete ? std::optional{found} : std::nullopt;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == text.npos) return parts;
        text.remove_prefix(end + 1);
    }
}

// "20260101T000000Z" as Unix seconds.
std::optional<std::int64_t> read_date(const std::string& date) {
    std::tm time{};
    const char* rest = strptime(date.c_str(), "%Y%m%dT%H%M%SZ", &time);
    if (rest == nullptr || *rest != '\0' || date.size() != 16) return std::nullopt;
    return timegm(&time);
}

std::string canonical_request(const Request& request, std::string_view names) {
    std::string out = fmt::format("{}\n{}\n{}\n", request.method, request.path, request.query);
    for (const auto name : split(names, ';')) {
        auto value = request.header(name);
        if (name == "host" && value.empty()) value = request.header(":authority");
        out.append(fmt::format("{}:{}\n", name, trimmed(value)));
    }
    return out.append("\n").append(names).append("\n").append(sha256_hex(request.body));
}

bool is_signed(std::string_view names, std::string_view name) {
    for (const auto one : split(names, ';')) {
        if (one == name) return true;
    }
    return false;
}

SesError mismatch() {
    return {"SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.", 403};
}

}  // namespace

SesError check_signature(const Request& request, const ProviderOptions& options,
                         std::int64_t now_s) {
    const auto header = request.header("authorization");
    if (header.empty()) {
        return {"MissingAuthenticationToken", "Missing Authentication Token", 403};
    }
    const auto given = read_authorization(header);
    const std::string date{request.header("x-amz-date")};
    const auto moment = read_date(date);
    if (!given || !moment) {
        return {"IncompleteSignature", "Authorization header or X-Amz-Date is not valid", 400};
    }
    if (given->key != options.ses_access_key) {
        return {"UnrecognizedClientException",
                "The security token included in the request is "
                "invalid.",
                403};
    }
    for (const std::string_view name : {"host", "x-amz-date"}) {
        if (!is_signed(given->names, name)) return mismatch();
    }
    for (const std::string_view name : {"content-type", "x-amz-security-token"}) {
        if (!request.header(name).empty() && !is_signed(given->names, name)) return mismatch();
    }
    const auto scope = split(given->scope, '/');
    const bool good_scope = scope.size() == 4 && scope[0] == date.substr(0, 8) &&
                            (options.ses_region.empty() || scope[1] == options.ses_region) &&
                            scope[2] == "ses" && scope[3] == "aws4_request";
    if (!good_scope) {
        return {"SignatureDoesNotMatch",
                "Credential should be scoped to a valid region, to "
                "correct service: 'ses', and terminate with 'aws4_request'.",
                403};
    }
    if (std::abs(*moment - now_s) > clock_difference_max_s) {
        return {"RequestExpired", "Signature not yet current or expired", 403};
    }
    auto key = hmac("AWS4" + options.ses_secret_key, scope[0]);
    for (std::size_t i = 1; i < scope.size(); ++i) key = hmac(key, scope[i]);
    const auto text = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", date, given->scope,
                                  sha256_hex(canonical_request(request, given->names)));
    const auto made = hmac(key, text);
    const auto good = hex(reinterpret_cast<const unsigned char*>(made.data()), made.size());
    return good == given->signature ? SesError{} : mismatch();
}

}  // namespace fanfare::sim
