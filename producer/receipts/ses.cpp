#include "producer/receipts/ses.hpp"

#include "producer/receipts/crypto.hpp"
#include "producer/receipts/document.hpp"
#include "producer/receipts/ses_events.hpp"

#include <fmt/format.h>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace fanfare::receipts {
namespace {

constexpr std::int64_t message_age_max_s = 3'600;  // SNS tries again for about an hour.
constexpr std::array<std::string_view, 6> notification_keys{"Message",   "MessageId", "Subject",
                                                            "Timestamp", "TopicArn",  "Type"};
constexpr std::array<std::string_view, 7> confirmation_keys{
    "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"};

/// Where the messages of a topic come from; all empty where the ARN is none.
struct Origin {
    std::string host;                // sns.<region>.amazonaws.com, and .cn behind it in China.
    std::vector<std::string> names;  // What SNS may call itself in that region's certificates.
};

bool is_region(std::string_view region) {
    return !region.empty() && std::all_of(region.begin(), region.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

/// Of "arn:aws:sns:us-east-1:123456789012:ses-events".
Origin parse_origin(std::string_view topic) {
    std::array<std::string_view, 4> parts;
    for (auto& part : parts) {
        const auto colon = topic.find(':');
        if (colon == std::string_view::npos) return {};
        part = topic.substr(0, colon);
        topic.remove_prefix(colon + 1);
    }
    const auto [arn, partition, service, region] = parts;
    if (arn != "arn" || service != "sns" || !is_region(region)) return {};
    const std::string tail = partition == "aws-cn" ? ".amazonaws.com.cn" : ".amazonaws.com";
    const std::string place = region == "us-gov-east-1" ? "us-gov-west-1" : std::string{region};
    const auto host = fmt::format("sns.{}{}", region, tail);
    // Most regions share a name; later ones, China's and the government's have their own.
    return {host,
            {host, "sns" + tail, fmt::format("sns-signing.{}{}", region, tail),
             fmt::format("sns-{}{}", place, tail)}};
}

/// An https URL at SNS of the topic's region, port 443, without user; of this machine too where
/// the account may. "sns.s3.amazonaws.com" is somebody's bucket.
bool is_sns_url(std::string_view text, const Origin& origin, bool loopback) {
    const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < '\x7f' && c != '\\' && c != '@' && c != '#';
    });
    const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
    if (!plain || !parsed || text.size() > 2'000) return false;
    const auto& url = *parsed;
    if (url.scheme() != "https" || url.has_userinfo() || url.has_fragment()) return false;
    // Boost 1.81 may read the rest of a host as a path that does not begin with '/'.
    const auto path = url.encoded_path();
    if (path.empty() || path.front() != '/') return false;
    const auto name = url.encoded_host();
    const std::string_view host{name.data(), name.size()};
    if (loopback && host == "localhost") return true;
    return !host.empty() && host == origin.host && (!url.has_port() || url.port() == "443");
}

/// "/SimpleNotificationService-<letters, digits>.pem"
bool is_certificate_path(std::string_view path) {
    constexpr std::string_view lead{"/SimpleNotificationService-"};
    constexpr std::string_view tail{".pem"};
    if (!path.starts_with(lead) || !path.ends_with(tail)) return false;
    path.remove_prefix(lead.size());
    if (path.size() <= tail.size()) return false;
    path.remove_suffix(tail.size());
    return std::all_of(path.begin(), path.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    });
}

bool is_certificate_url(std::string_view text, const Origin& origin, bool loopback) {
    if (!is_sns_url(text, origin, loopback)) return false;
    const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
    const auto encoded = parsed->encoded_path();
    std::string_view path{encoded.data(), encoded.size()};
    // A simulator has other things to serve at its root.
    if (loopback && parsed->encoded_host() == "localhost") path.remove_prefix(path.rfind('/'));
    return is_certificate_path(path) && !parsed->has_query();
}

template <std::size_t Count>
std::string string_to_sign(const Object& message, const std::array<std::string_view, Count>& keys) {
    std::string text;
    for (const auto key : keys) {
        const auto* const value = message.if_contains({key.data(), key.size()});
        if (value == nullptr || !value->is_string()) continue;
        text.append(key).append("\n").append(get_text(message, key)).append("\n");
    }
    return text;
}

class Ses final : public Receiver {
public:
    Ses(const AccountSettings& account, const References& references)
        : topic_{account_value(account, "topic_arn")},
          origin_{parse_origin(topic_)},
          loopback_{account.allow_http},
          references_{references} {}

    [[nodiscard]] Reception receive(const HttpCall& call, const Documents& documents,
                                    std::int64_t now_unix) const override {
        if (topic_.empty()) return Refusal{403, "missing_key"};
        // As it stands: the signature is of what SNS wrote, not of what could be made of it.
        const auto document = parse_strictly(call.body);
        if (!document || !document->is_object()) return Refusal{400, "malformed"};
        const auto& message = document->get_object();
        if (get_text(message, "TopicArn") != topic_) return Refusal{403, "wrong_topic"};
        const auto type = get_text(message, "Type");
        const bool news = type == "Notification";
        if (!news && type != "SubscriptionConfirmation" && type != "UnsubscribeConfirmation") {
            return Refusal{400, "malformed"};
        }
        const std::string place{get_text(message, "SigningCertURL")};
        const auto version = get_text(message, "SignatureVersion");
        const auto signature = base64_decoded(get_text(message, "Signature"));
        if (place.empty() || get_text(message, "Signature").empty()) {
            return Refusal{401, "unsigned"};
        }
        const bool known = version == "1" || version == "2";
        if (!known || !signature || !is_certificate_url(place, origin_, loopback_)) {
            return Refusal{403, "forged"};
        }
        const auto sent_at = moment_seconds(get_text(message, "Timestamp"));
        if (!is_timely(sent_at, now_unix, message_age_max_s)) return Refusal{403, "stale"};
        const auto* const certificate = documents(place);
        if (certificate == nullptr) return Wanted{place};
        const auto text = news ? string_to_sign(message, notification_keys)
                               : string_to_sign(message, confirmation_keys);
        const auto digest = version == "1" ? Digest::sha1 : Digest::sha256;
        if (!is_certificate_for(*certificate, origin_.names, now_unix))
            return Refusal{403, "forged"};
        if (!verify_rsa(*certificate, digest, text, *signature)) return Refusal{403, "forged"};
        return news ? notification(message) : confirmation(message, type);
    }

private:
    [[nodiscard]] Reception notification(const Object& message) const {
        ReceiptList list{references_, Channel::email};
        const auto id = get_text(message, "MessageId");
        if (!read_ses_event(get_text(message, "Message"), id, list)) {
            // SNS may send its own words, such as a test of the destination: nothing to keep.
            return AcceptedWebhook{};
        }
        return list.take(std::string{id});
    }

    [[nodiscard]] Reception confirmation(const Object& message, std::string_view type) const {
        AcceptedWebhook received;
        if (type != "SubscriptionConfirmation") return received;
        received.visit = std::string{get_text(message, "SubscribeURL")};
        if (!is_sns_url(received.visit, origin_, loopback_)) return Refusal{403, "forged"};
        return received;
    }

    std::string topic_;
    Origin origin_;
    bool loopback_;
    const References& references_;
};

}  // namespace

std::unique_ptr<Receiver> make_ses(const AccountSettings& account, const ReceiverContext& context) {
    return std::make_unique<Ses>(account, context.references);
}

}  // namespace fanfare::receipts
