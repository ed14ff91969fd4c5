#include "sim/providers/apns/apns.hpp"

#include "sim/http/text.hpp"
#include "sim/providers/apns/provider_token.hpp"
#include "sim/webhooks/signing.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <iterator>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

constexpr std::string_view before_token = "/3/device/";
constexpr std::size_t payload_bytes_max = 4'096;
constexpr std::size_t voip_payload_bytes_max = 5'120;
constexpr std::size_t collapse_id_bytes_max = 64;

struct ReasonStatus {
    std::string_view reason;
    int status;
};

// Those that are not 400.
constexpr ReasonStatus statuses[] = {
    {"BadCertificate", 403},
    {"BadCertificateEnvironment", 403},
    {"BadEnvironmentKeyIdInToken", 403},
    {"ExpiredProviderToken", 403},
    {"Forbidden", 403},
    {"InvalidProviderToken", 403},
    {"MissingProviderToken", 403},
    {"UnrelatedKeyIdInToken", 403},
    {"BadPath", 404},
    {"MethodNotAllowed", 405},
    {"ExpiredToken", 410},
    {"Unregistered", 410},
    {"PayloadTooLarge", 413},
    {"TooManyProviderTokenUpdates", 429},
    {"TooManyRequests", 429},
    {"InternalServerError", 500},
    {"ServiceUnavailable", 503},
    {"Shutdown", 503},
};

void say(std::string_view reason, std::int64_t now_s, Answer& answer) {
    const auto* found =
        std::find_if(std::begin(statuses), std::end(statuses),
                     [reason](const ReasonStatus& one) { return one.reason == reason; });
    answer.status = found == std::end(statuses) ? 400 : found->status;
    answer.body = R"({"reason":)";
    append_json_string(reason, answer.body);
    if (answer.status == 410) {
        // Registered until a minute ago.
        fmt::format_to(std::back_inserter(answer.body), R"(,"timestamp":{})", (now_s - 60) * 1'000);
    }
    answer.body.push_back('}');
}

bool is_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
}

bool is_uuid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !is_hex(text.substr(i, 1))) return false;
    }
    return true;
}

bool is_push_type(std::string_view type) {
    constexpr std::string_view types[] = {"alert",        "background",   "voip",    "location",
                                          "complication", "fileprovider", "mdm",     "liveactivity",
                                          "pushtotalk",   "widgets",      "controls"};
    return std::find(std::begin(types), std::end(types), type) != std::end(types);
}

std::string_view check_headers(const Request& request, std::string_view topic) {
    for (const auto& field : request.headers) {
        const auto same = [&field](const Field& other) {
            return equal_ignoring_case(field.name, other.name);
        };
        const bool ours = field.name.starts_with("apns-") || field.name == "authorization";
        if (ours && std::count_if(request.headers.begin(), request.headers.end(), same) > 1) {
            return "DuplicateHeaders";
        }
    }
    const auto given_topic = request.header("apns-topic");
    if (given_topic.empty()) return "MissingTopic";
    if (!topic.empty() && given_topic != topic) return "TopicDisallowed";
    const auto type = request.header("apns-push-type");
    if (!is_push_type(type)) return "InvalidPushType";
    const auto priority = request.header("apns-priority");
    if (!priority.empty() && priority != "10" && priority != "5" && priority != "1") {
        return "BadPriority";
    }
    if (type == "background" && priority != "5") return "BadPriority";
    const auto expiration = request.header("apns-expiration");
    if (!expiration.empty() && !is_digits(expiration)) return "BadExpirationDate";
    if (request.header("apns-collapse-id").size() > collapse_id_bytes_max) return "BadCollapseId";
    const auto id = request.header("apns-id");
    if (!id.empty() && !is_uuid(id)) return "BadMessageId";
    return {};
}

/// Of the token in the path; in capitals or not.
std::string_view check_token(std::string_view token) {
    if (token.empty()) return "MissingDeviceToken";
    if (!is_hex(token) || token.size() % 2 != 0 || token.size() > 200) return "BadDeviceToken";
    if (token.starts_with("bad0")) return "BadDeviceToken";
    return token.starts_with("dead") ? "Unregistered" : std::string_view{};
}

std::string_view check_payload(const Request& request, const json::value& payload) {
    const bool is_voip = request.header("apns-push-type") == "voip";
    const auto max = is_voip ? voip_payload_bytes_max : payload_bytes_max;
    if (request.body.size() > max) return "PayloadTooLarge";
    const auto* body = payload.if_object();
    const auto* aps = body == nullptr ? nullptr : body->if_contains("aps");
    return aps == nullptr || !aps->is_object() ? "PayloadEmpty" : std::string_view{};
}

json::value parse(std::string_view body) {
    boost::system::error_code error;
    auto parsed = json::parse(body, error);
    return error ? json::value{} : parsed;
}

class Apns final : public SimulatedProvider {
public:
    explicit Apns(const ProviderOptions& options)
        : topic_{options.apns_topic}, public_key_{options.apns_public_key} {}

    [[nodiscard]] std::string_view name() const noexcept override { return "apns"; }
    [[nodiscard]] bool owns(std::string_view path) const noexcept override {
        return path.starts_with(before_token);
    }

    void check(const Request& request, const CheckContext& context,
               Checked& checked) const override {
        auto& answer = checked.answer;
        if (!request.http2) {
            // The real one speaks nothing else and closes.
            answer.status = 400;
            answer.body = R"({"reason":"HTTP/2 is required"})";
            return;
        }
        const auto refuse = [&](std::string_view reason) { say(reason, context.now_s, answer); };
        if (request.method != "POST") return refuse("MethodNotAllowed");
        auto reason =
            check_provider_token(request.header("authorization"), public_key_, context.now_s);
        if (reason.empty()) reason = check_headers(request, topic_);
        if (!reason.empty()) return refuse(reason);
        const auto payload = parse(request.body);
        reason = check_payload(request, payload);
        if (!reason.empty()) return refuse(reason);
        const auto token = request.path.substr(before_token.size());
        reason = check_token(token);
        if (!reason.empty()) {
            checked.refused = true;
            return refuse(reason);
        }
        checked.kind = Checked::Kind::message;
        checked.recipients.push_back(token);
        keep_reference(payload.get_object(), checked);
        const auto id = request.header("apns-id");
        answer.headers.emplace_back(
            "apns-id", id.empty() ? to_uuid(context.number, context.number) : std::string{id});
    }

    void refuse(const Trouble& trouble, Answer& answer) const override {
        switch (trouble.kind) {
            case Trouble::Kind::refuse:
                return say(trouble.code.empty() ? "Unregistered" : trouble.code, trouble.now_s,
                           answer);
            case Trouble::Kind::throttle:
            case Trouble::Kind::concurrency:
                return say("TooManyRequests", trouble.now_s, answer);
            case Trouble::Kind::error:
                say(trouble.status == 500 ? "InternalServerError" : "ServiceUnavailable",
                    trouble.now_s, answer);
                if (trouble.status != 0) answer.status = trouble.status;
        }
    }

    [[nodiscard]] std::optional<json::object> render(const Request& request,
                                                     std::string_view address) const override {
        if (request.path.substr(std::min(before_token.size(), request.path.size())) != address) {
            return std::nullopt;
        }
        auto payload = parse(request.body);
        if (!payload.is_object()) return std::nullopt;
        auto& shown = payload.get_object();
        for (const auto& field : request.headers) {
            if (field.name.starts_with("apns-")) shown[field.name] = field.value;
        }
        return std::move(shown);
    }

private:
    static void keep_reference(const json::object& payload, Checked& checked) {
        const auto* reference = payload.if_contains("fanfare");
        if (reference == nullptr || !reference->is_string()) return;
        const std::string_view text = reference->get_string();
        checked.arena.reserve(text.size());
        checked.reference = checked.keep(text);
    }

    std::string topic_;
    std::string public_key_;
};

}  // namespace

std::unique_ptr<SimulatedProvider> make_apns(const ProviderOptions& options) {
    return std::make_unique<Apns>(options);
}

}  // namespace fanfare::sim
