#include "sim/providers/fcm/fcm.hpp"

#include "sim/http/text.hpp"
#include "sim/providers/fcm/access_token.hpp"
#include "sim/providers/fcm/errors.hpp"
#include "sim/providers/fcm/message_rules.hpp"

#include <fmt/format.h>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>

#include <array>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

constexpr std::string_view before_project = "/v1/projects/";
constexpr std::string_view after_project = "/messages:send";
constexpr std::string_view bad_credentials =
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
    "or other valid authentication credential.";

std::string_view find_project(std::string_view path) {
    if (path.size() <= before_project.size() + after_project.size()) return {};
    return path.substr(before_project.size(),
                       path.size() - before_project.size() - after_project.size());
}

std::string_view find_bearer(const Request& request) {
    const auto value = request.header("authorization");
    constexpr std::string_view scheme = "Bearer ";
    return value.size() > scheme.size() &&
                   equal_ignoring_case(value.substr(0, scheme.size()), scheme)
               ? value.substr(scheme.size())
               : std::string_view{};
}

// Tokens whose fate is in their name, for tests and the demo; "" for ordinary ones.
std::string_view fate_of_token(std::string_view token) {
    if (token.starts_with("dead-")) return "UNREGISTERED";
    if (token.starts_with("mismatch-")) return "SENDER_ID_MISMATCH";
    return {};
}

class Fcm final : public SimulatedProvider {
public:
    explicit Fcm(const ProviderOptions& options) : project_{options.fcm_project} {}

    [[nodiscard]] std::string_view name() const noexcept override { return "fcm"; }
    [[nodiscard]] bool owns(std::string_view path) const noexcept override {
        return path.starts_with(before_project) && path.ends_with(after_project);
    }

    void check(const Request& request, const CheckContext& context,
               Checked& checked) const override {
        auto& answer = checked.answer;
        const auto project = find_project(request.path);
        if (request.method != "POST") {
            return say_google_error(405, "UNIMPLEMENTED", "Method not allowed", answer);
        }
        if (!is_good_access_token(find_bearer(request), context.now_s, context.token_generation)) {
            answer.headers.emplace_back("www-authenticate",
                                        "Bearer realm=\"https://accounts.google.com/\"");
            return say_google_error(401, "UNAUTHENTICATED", bad_credentials, answer);
        }
        if (project.empty() || (!project_.empty() && project != project_)) {
            return say_google_error(
                403, "PERMISSION_DENIED",
                "Permission 'cloudmessaging.messages.create' denied on resource", answer);
        }
        std::array<unsigned char, 16 * 1024> memory;
        json::monotonic_resource resource{memory.data(), memory.size()};
        boost::system::error_code error;
        const auto body = json::parse(request.body, error, &resource);
        if (error || !body.is_object()) {
            return say_google_error(400, "INVALID_ARGUMENT", "Invalid JSON payload received.",
                                    answer);
        }
        check_body(body.get_object(), project, context, checked);
    }

    void refuse(const Trouble& trouble, Answer& answer) const override {
        switch (trouble.kind) {
            case Trouble::Kind::refuse:
                return say_fcm_error(trouble.code.empty() ? "UNREGISTERED" : trouble.code, answer);
            case Trouble::Kind::throttle:
            case Trouble::Kind::concurrency:
                answer.headers.emplace_back("retry-after",
                                            fmt::format("{}", trouble.retry_after_s));
                return say_fcm_error("QUOTA_EXCEEDED", answer);
            case Trouble::Kind::error:
                say_fcm_error(trouble.status == 500 ? "INTERNAL" : "UNAVAILABLE", answer);
                if (trouble.status != 0) answer.status = trouble.status;
        }
    }

    [[nodiscard]] std::optional<json::object> render(const Request& request,
                                                     std::string_view address) const override {
        boost::system::error_code error;
        const auto body = json::parse(request.body, error);
        if (error || !body.is_object()) return std::nullopt;
        const auto* message = body.get_object().if_contains("message");
        if (message == nullptr || !message->is_object()) return std::nullopt;
        const auto* token = message->get_object().if_contains("token");
        if (token == nullptr || !token->is_string() || token->get_string() != address) {
            return std::nullopt;
        }
        return message->get_object();
    }

private:
    static void check_body(const json::object& body, std::string_view project,
                           const CheckContext& context, Checked& checked) {
        auto& answer = checked.answer;
        auto bad = check_record(body, send_request_rules(), {});
        const auto* message = bad.description.empty() ? body.if_contains("message") : nullptr;
        if (bad.description.empty() && message == nullptr) bad = {"message", "message is required"};
        if (bad.description.empty()) bad = check_message(message->get_object());
        if (!bad.description.empty()) return say_fcm_violation(bad, answer);

        const auto& fields = message->get_object();
        const auto* token = fields.if_contains("token");
        if (token != nullptr && !is_registration_token(token->get_string())) {
            return say_fcm_bad_token(answer);
        }
        const auto fate = token == nullptr ? "" : fate_of_token(token->get_string());
        if (!fate.empty()) {
            checked.refused = true;
            return say_fcm_error(fate, answer);
        }
        keep_target(fields, checked);
        const auto* only = member(body, "validate_only");
        const bool dry = only != nullptr && only->get_bool();
        checked.kind = dry ? Checked::Kind::other : Checked::Kind::message;
        answer.type = "application/json; charset=UTF-8";
        answer.body =
            dry ? fmt::format(R"({{"name":"projects/{}/messages/fake_message_id"}})", project)
                : fmt::format(R"({{"name":"projects/{}/messages/0:{}%{:016x}"}})", project,
                              context.now_s * 1'000'000, context.number);
    }

    // The address is the token, or the topic or condition. Copied: the JSON goes away.
    static void keep_target(const json::object& message, Checked& checked) {
        const json::value* target = nullptr;
        for (const auto name : {"token", "topic", "condition"}) {
            if (target == nullptr) target = message.if_contains(name);
        }
        const auto* data = message.if_contains("data");
        const auto* reference =
            data == nullptr ? nullptr : data->get_object().if_contains("fanfare");
        const std::string_view address = target->get_string();
        const auto text =
            reference == nullptr ? std::string_view{} : std::string_view{reference->get_string()};
        checked.arena.reserve(address.size() + text.size());
        checked.recipients.push_back(checked.keep(address));
        checked.reference = checked.keep(text);
    }

    std::string project_;
};

}  // namespace

std::unique_ptr<SimulatedProvider> make_fcm(const ProviderOptions& options) {
    return std::make_unique<Fcm>(options);
}

}  // namespace fanfare::sim
