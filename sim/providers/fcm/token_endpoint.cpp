#include "sim/http/text.hpp"
#include "sim/providers/fcm/access_token.hpp"
#include "sim/providers/fcm/assertion.hpp"
#include "sim/providers/fcm/fcm.hpp"

#include <fmt/format.h>

namespace fanfare::sim {

namespace {

constexpr std::string_view grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";

void say(Answer& answer, int status, std::string_view error, std::string_view description) {
    answer.status = status;
    answer.body = fmt::format(R"({{"error":"{}","error_description":"{}"}})", error, description);
}

class FcmToken final : public SimulatedProvider {
public:
    explicit FcmToken(const ProviderOptions& options)
        : public_key_{options.fcm_public_key}, lifetime_s_{options.fcm_token_lifetime_s} {}

    [[nodiscard]] std::string_view name() const noexcept override { return "fcm-token"; }
    [[nodiscard]] bool owns(std::string_view path) const noexcept override {
        return path == "/token";
    }

    void check(const Request& request, const CheckContext& context,
               Checked& checked) const override {
        auto& answer = checked.answer;
        const auto type = request.header("content-type");
        if (request.method != "POST" ||
            !equal_ignoring_case(trimmed(type.substr(0, type.find(';'))),
                                 "application/x-www-form-urlencoded") ||
            !parse_form(request.body, checked.arena, checked.fields)) {
            return say(answer, 400, "invalid_request", "Bad Request");
        }
        const auto* grant_type = find_field(checked.fields, "grant_type");
        if (grant_type == nullptr || grant_type->value != grant) {
            return say(answer, 400, "unsupported_grant_type", "Invalid grant_type");
        }
        const auto* assertion = find_field(checked.fields, "assertion");
        const auto problem = assertion == nullptr
                                 ? "Missing required parameter: assertion"
                                 : check_assertion(assertion->value, public_key_, context.now_s);
        if (!problem.empty()) return say(answer, 400, "invalid_grant", problem);
        checked.kind = Checked::Kind::other;
        answer.body =
            fmt::format(R"({{"access_token":"{}","expires_in":{},"token_type":"Bearer"}})",
                        make_access_token(context.now_s + lifetime_s_, context.token_generation),
                        lifetime_s_ > 0 ? lifetime_s_ - 1 : 0);
    }

    void refuse(const Trouble& trouble, Answer& answer) const override {
        switch (trouble.kind) {
            case Trouble::Kind::refuse:
                return say(answer, 400, "invalid_grant", "Invalid grant: account not found");
            case Trouble::Kind::throttle:
            case Trouble::Kind::concurrency:
                answer.headers.emplace_back("retry-after",
                                            fmt::format("{}", trouble.retry_after_s));
                return say(answer, 429, "rate_limit_exceeded", "Rate Limit Exceeded");
            case Trouble::Kind::error:
                return say(answer, trouble.status == 0 ? 503 : trouble.status, "internal_failure",
                           "Backend Error");
        }
    }

    [[nodiscard]] std::optional<boost::json::object> render(const Request&,
                                                            std::string_view) const override {
        return std::nullopt;
    }

private:
    std::string public_key_;
    std::uint32_t lifetime_s_;
};

}  // namespace

std::unique_ptr<SimulatedProvider> make_fcm_token(const ProviderOptions& options) {
    return std::make_unique<FcmToken>(options);
}

}  // namespace fanfare::sim
