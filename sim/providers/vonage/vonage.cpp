#include "sim/providers/vonage/vonage.hpp"

#include "sim/http/text.hpp"
#include "sim/providers/twilio/sms_text.hpp"
#include "sim/providers/vonage/access.hpp"
#include "sim/providers/vonage/answers.hpp"
#include "sim/providers/vonage/message.hpp"
#include "sim/webhooks/signing.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>

#include <charconv>
#include <iterator>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

constexpr std::string_view sms_path = "/sms/json";
constexpr std::string_view messages_path = "/v1/messages";
constexpr std::string_view balance_path = "/account/get-balance";  // Sends nothing.

std::string message_id(const CheckContext& context, std::size_t part) {
    return fmt::format("0A{:012X}{:02X}", context.number, part);
}

void say_sent(const VonageMessage& message, const CheckContext& context, Answer& answer) {
    const auto parts = count_segments(message.text);
    auto out = std::back_inserter(answer.body);
    fmt::format_to(out, R"({{"message-count":"{}","messages":[)", parts);
    for (std::size_t part = 0; part < parts; ++part) {
        fmt::format_to(out, R"({}{{"to":"{}","message-id":"{}","status":"0","client-ref":)",
                       part == 0 ? "" : ",", message.to, message_id(context, part));
        append_json_string(is_ascii(message.reference) ? message.reference : "", answer.body);
        answer.body.append(
            R"(,"remaining-balance":"3.14159265","message-price":"0.03330000","network":"12345"})");
    }
    answer.body.append("]}");
}

/// The body of a request of either API; nothing where it is malformed.
std::optional<VonageMessage> reread(const Request& request) {
    VonageMessage message;
    if (request.path == sms_path) {
        std::string arena;
        std::vector<Field> fields;
        if (!parse_form(request.body, arena, fields)) return std::nullopt;
        if (read_vonage_form(fields, message) != 0) return std::nullopt;
        return message;
    }
    boost::system::error_code error;
    const auto body = json::parse(request.body, error);
    if (error || !body.is_object()) return std::nullopt;
    if (!read_vonage_json(body.get_object(), message).code.empty()) return std::nullopt;
    return message;
}

bool has_type(const Request& request, std::string_view type) {
    const auto told = request.header("content-type");
    return equal_ignoring_case(trimmed(told.substr(0, told.find(';'))), type);
}

class Vonage final : public SimulatedProvider {
public:
    explicit Vonage(const ProviderOptions& options) : access_{options} {}

    [[nodiscard]] std::string_view name() const noexcept override { return "vonage"; }
    [[nodiscard]] bool owns(std::string_view path) const noexcept override {
        return path == sms_path || path == messages_path || path == balance_path;
    }

    void check(const Request& request, const CheckContext& context,
               Checked& checked) const override {
        const bool asks_for_balance = request.path == balance_path;
        if (request.method != (asks_for_balance ? "GET" : "POST")) {
            checked.answer.status = 405;
            checked.answer.body = R"({"title":"Method Not Allowed"})";
            return;
        }
        if (asks_for_balance) return tell_balance(request, checked);
        if (request.path == sms_path) return check_sms(request, context, checked);
        check_messages(request, context, checked);
    }

    void refuse(const Trouble& trouble, Answer& answer) const override {
        const bool is_sms = trouble.path != messages_path;
        const bool is_refusal = trouble.kind == Trouble::Kind::refuse;
        if (trouble.kind == Trouble::Kind::error) {
            if (is_sms && trouble.status == 0) return say_vonage_status(5, {}, answer);
            say_vonage_problem("1030", "Internal error", answer);
            answer.status = trouble.status == 0 ? 503 : trouble.status;
            return;
        }
        if (!is_sms) {
            const auto code = trouble.code.empty() ? std::string_view{"1040"} : trouble.code;
            return say_vonage_problem(is_refusal ? code : "1000", "Refused", answer);
        }
        int status = trouble.kind == Trouble::Kind::concurrency ? 10 : 1;
        if (is_refusal) {
            status = 6;
            std::from_chars(trouble.code.data(), trouble.code.data() + trouble.code.size(), status);
        }
        say_vonage_status(status, trouble.recipient, answer);
    }

    void describe(const Request& request, const CheckContext& context,
                  std::span<const std::string_view> recipients,
                  std::vector<Delivery>& out) const override {
        const auto message = reread(request);
        if (!message || message->callback.empty()) return;
        const bool is_sms = request.path == sms_path;
        for (const auto address : recipients) {
            auto& delivery = out.emplace_back();
            delivery.scheme = is_sms ? Scheme::vonage_sms : Scheme::vonage_messages;
            delivery.address = address;
            delivery.message_id =
                is_sms ? message_id(context, 0) : to_uuid(context.number, context.number);
            delivery.sender = message->from;
            delivery.callback = message->callback;
            if (message->reference.empty()) continue;
            delivery.data.emplace_back(is_sms ? "client-ref" : "client_ref", message->reference);
        }
    }

    [[nodiscard]] std::optional<json::object> render(const Request& request,
                                                     std::string_view address) const override {
        const auto message = reread(request);
        if (!message || "+" + message->to != address) return std::nullopt;
        return json::object{{"to", address},
                            {"from", message->from},
                            {"text", shown_text(*message)},
                            {"reference", whole_reference(message->reference)}};
    }

private:
    void tell_balance(const Request& request, Checked& checked) const {
        auto& answer = checked.answer;
        if (!access_.is_account(request)) {
            answer.status = 401;
            answer.body = R"({"error-code":"401","error-code-label":"authentication failed"})";
            return;
        }
        checked.kind = Checked::Kind::other;
        answer.body = R"({"value":3.14159265,"autoReload":false})";
    }

    void check_sms(const Request& request, const CheckContext& context, Checked& checked) const {
        auto& answer = checked.answer;
        checked.arena.reserve(request.body.size() * 2 + 200);
        if (!has_type(request, "application/x-www-form-urlencoded") ||
            !parse_form(request.body, checked.arena, checked.fields)) {
            return say_vonage_status(2, {}, answer);
        }
        VonageMessage message;
        auto status = access_.check_form(checked.fields, context.now_s);
        if (status == 0) status = read_vonage_form(checked.fields, message);
        if (status != 0) return say_vonage_status(status, message.to, answer);
        keep(message, checked);
        say_sent(message, context, answer);
    }

    void check_messages(const Request& request, const CheckContext& context,
                        Checked& checked) const {
        auto& answer = checked.answer;
        if (!access_.allows(request, context.now_s)) {
            return say_vonage_problem("unauthorized", "Check your credentials", answer);
        }
        boost::system::error_code error;
        const auto body = json::parse(request.body, error);
        if (!has_type(request, "application/json") || error || !body.is_object()) {
            return say_vonage_problem("1020", "The body is not a JSON object", answer);
        }
        VonageMessage message;
        const auto problem = read_vonage_json(body.get_object(), message);
        if (!problem.code.empty()) return say_vonage_problem(problem.code, problem.detail, answer);
        checked.arena.reserve(message.to.size() + message.reference.size() + 200);
        keep(message, checked);
        answer.status = 202;
        answer.body =
            fmt::format(R"({{"message_uuid":"{}"}})", to_uuid(context.number, context.number));
    }

    static void keep(const VonageMessage& message, Checked& checked) {
        checked.kind = Checked::Kind::message;
        checked.recipients.push_back(checked.keep("+" + message.to));
        checked.reference = checked.keep(whole_reference(message.reference));
    }

    VonageAccess access_;
};

}  // namespace

std::unique_ptr<SimulatedProvider> make_vonage(const ProviderOptions& options) {
    return std::make_unique<Vonage>(options);
}

}  // namespace fanfare::sim
