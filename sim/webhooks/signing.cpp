#include "sim/webhooks/signing.hpp"

#include "core/handle/handle.hpp"
#include "sim/http/text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <stdexcept>

namespace fanfare::sim {

namespace {

using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

void must_work(bool done, const char* what) {
    if (!done) throw std::runtime_error{std::string{"OpenSSL: "} + what};
}

const EVP_MD* find_digest(std::string_view name) {
    const auto* found = EVP_get_digestbyname(std::string{name}.c_str());
    must_work(found != nullptr, "unknown digest");
    return found;
}

const unsigned char* as_bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* as_bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

std::string digest(std::string_view name, std::string_view text) {
    std::string out(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    must_work(
        EVP_Digest(text.data(), text.size(), as_bytes(out), &size, find_digest(name), nullptr) == 1,
        "digest");
    out.resize(size);
    return out;
}

std::string hmac(std::string_view digest_name, std::string_view key, std::string_view text) {
    std::string out(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    must_work(HMAC(find_digest(digest_name), key.data(), static_cast<int>(key.size()),
                   as_bytes(text), text.size(), as_bytes(out), &size) != nullptr,
              "HMAC");
    out.resize(size);
    return out;
}

std::string sign(const KeyPair& key, std::string_view digest_name, std::string_view text) {
    const DigestContext context{EVP_MD_CTX_new()};
    must_work(context != nullptr, "memory");
    must_work(EVP_DigestSignInit(context.get(), nullptr, find_digest(digest_name), nullptr,
                                 key.get()) == 1,
              "key");
    std::size_t size = 0;
    must_work(EVP_DigestSign(context.get(), nullptr, &size, as_bytes(text), text.size()) == 1,
              "size");
    std::string out(size, '\0');
    must_work(EVP_DigestSign(context.get(), as_bytes(out), &size, as_bytes(text), text.size()) == 1,
              "signature");
    out.resize(size);
    return out;
}

std::string hex(std::string_view bytes) {
    std::string out;
    for (const auto c : bytes) {
        fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
    }
    return out;
}

std::string base64url(std::string_view bytes) {
    auto out = base64(bytes);
    std::replace(out.begin(), out.end(), '+', '-');
    std::replace(out.begin(), out.end(), '/', '_');
    while (out.ends_with('=')) out.pop_back();
    return out;
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const auto c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
        if (plain) {
            out.push_back(c);
        } else {
            fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

std::string encode_form(std::span<const Field> fields) {
    std::string out;
    for (const auto& field : fields) {
        if (!out.empty()) out.push_back('&');
        out.append(percent_encoded(field.name));
        out.push_back('=');
        out.append(percent_encoded(field.value));
    }
    return out;
}

std::string twilio_signature(std::string_view token, std::string_view url,
                             std::vector<Field> fields) {
    const auto before = [](const Field& a, const Field& b) {
        return a.name != b.name ? a.name < b.name : a.value < b.value;
    };
    const auto same = [](const Field& a, const Field& b) {
        return a.name == b.name && a.value == b.value;
    };
    std::sort(fields.begin(), fields.end(), before);
    fields.erase(std::unique(fields.begin(), fields.end(), same), fields.end());
    std::string text{url};
    for (const auto& field : fields) text.append(field.name).append(field.value);
    return base64(hmac("sha1", token, text));
}

std::string vonage_signature(std::string_view method, std::string_view secret,
                             std::vector<Field> fields) {
    std::sort(fields.begin(), fields.end(),
              [](const Field& a, const Field& b) { return a.name < b.name; });
    std::string text;
    for (const auto& field : fields) {
        if (field.name == "sig") continue;
        std::string value{field.value};
        std::replace(value.begin(), value.end(), '&', '_');
        std::replace(value.begin(), value.end(), '=', '_');
        text.append("&").append(field.name).append("=").append(value);
    }
    if (method == "md5hash") return hex(digest("md5", text.append(secret)));
    return hex(hmac(method, secret, text));
}

std::string hs256_token(std::string_view secret, std::string_view claims) {
    auto token = base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + base64url(claims);
    const auto signature = hmac("sha256", secret, token);
    return token + "." + base64url(signature);
}

std::string sns_string_to_sign(std::span<const Field> fields) {
    // The order is alphabetical for either type; each type has its own fields.
    static constexpr std::array<std::string_view, 8> covered = {
        "Message",   "MessageId", "Subject",  "SubscribeURL",
        "Timestamp", "Token",     "TopicArn", "Type"};
    std::string text;
    for (const auto name : covered) {
        const auto found = std::find_if(fields.begin(), fields.end(),
                                        [&](const Field& field) { return field.name == name; });
        if (found == fields.end()) continue;
        text.append(name).append("\n").append(found->value).append("\n");
    }
    return text;
}

std::string to_hex(std::uint64_t a, std::uint64_t b, std::size_t digits) {
    const auto bytes = digest("sha512", fmt::format("{}.{}", a, b));
    return hex(bytes).substr(0, digits);
}

std::string to_uuid(std::uint64_t a, std::uint64_t b) {
    const auto h = to_hex(a, b, 32);
    const std::string_view all = h;
    return fmt::format("{}-{}-4{}-8{}-{}", all.substr(0, 8), all.substr(8, 4), all.substr(13, 3),
                       all.substr(17, 3), all.substr(20, 12));
}

std::string iso_time(std::int64_t unix_ms) {
    const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds{unix_ms}};
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                       fmt::gmtime(static_cast<std::time_t>(seconds.time_since_epoch().count())),
                       (time - seconds).count());
}

}  // namespace fanfare::sim
