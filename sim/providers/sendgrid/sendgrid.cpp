#include "sim/providers/sendgrid/sendgrid.hpp"

#include "sim/http/text.hpp"
#include "sim/providers/sendgrid/mail_rules.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>

#include <array>
#include <utility>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

constexpr std::string_view send_path = "/v3/mail/send";
constexpr std::string_view scopes_path = "/v3/scopes";  // What a key may do: sends nothing.
constexpr std::size_t body_bytes_max = 30 * 1024 * 1024;

void say(Answer& answer, int status, const std::vector<SendGridError>& errors) {
    answer.status = status;
    answer.body.assign(R"({"errors":[)");
    for (const auto& error : errors) {
        if (answer.body.back() == '}') answer.body.push_back(',');
        answer.body.append(R"({"message":)");
        append_json_string(error.message, answer.body);
        answer.body.append(R"(,"field":)");
        if (error.field.empty()) {
            answer.body.append("null");
        } else {
            append_json_string(error.field, answer.body);
        }
        answer.body.append(R"(,"help":null})");
    }
    answer.body.append("]}");
}

bool is_json(const Request& request) {
    const auto type = request.header("content-type");
    return equal_ignoring_case(trimmed(type.substr(0, type.find(';'))), "application/json");
}

bool is_sandbox(const json::object& mail) {
    const auto* settings = mail.if_contains("mail_settings");
    const auto* mode = settings == nullptr || !settings->is_object()
                           ? nullptr
                           : settings->get_object().if_contains("sandbox_mode");
    const auto* enable =
        mode == nullptr || !mode->is_object() ? nullptr : mode->get_object().if_contains("enable");
    return enable != nullptr && enable->is_bool() && enable->get_bool();
}

// `custom_args.fanfare` of a personalization, else of the mail.
std::string_view find_reference(const json::object& mail) {
    const auto& first = mail.at("personalizations").as_array().front().as_object();
    for (const auto* object : {&first, &mail}) {
        const auto* args = object->if_contains("custom_args");
        if (args == nullptr) continue;
        if (const auto text = text_at(args->get_object(), "fanfare"); !text.empty()) return text;
    }
    return {};
}

std::string substituted(std::string text, const json::object& tags) {
    for (const auto& [tag, value] : tags) {
        const std::string_view from{tag};
        const std::string_view to{value.as_string()};
        if (from.empty()) continue;
        for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
            text.replace(at, from.size(), to);
        }
    }
    return text;
}

/// Whose mail a personalization is.
bool is_to(const json::object& person, std::string_view address) {
    for (const auto& one : person.at("to").as_array()) {
        if (text_at(one.as_object(), "email") == address) return true;
    }
    return false;
}

/// What the mail says for everyone, and the personalization's own over it.
json::object merged(const json::object& mail, const json::object& person, std::string_view group) {
    json::object out;
    for (const auto* object : {&mail, &person}) {
        const auto* members = object->if_contains(group);
        if (members == nullptr) continue;
        for (const auto& [name, value] : members->as_object()) out[name] = value;
    }
    return out;
}

json::object render_person(const json::object& mail, const json::object& person) {
    const auto* given = person.if_contains("substitutions");
    const json::object none;
    const auto& tags = given == nullptr ? none : given->as_object();
    json::object message;
    message["from"] = text_at(mail.at("from").as_object(), "email");
    const auto own = text_at(person, "subject");
    message["subject"] =
        substituted(std::string{own.empty() ? text_at(mail, "subject") : own}, tags);
    if (const auto* content = mail.if_contains("content")) {
        for (const auto& part : content->as_array()) {
            const auto& fields = part.as_object();
            const auto name = text_at(fields, "type") == "text/html" ? "html" : "text";
            message[name] = substituted(std::string{text_at(fields, "value")}, tags);
        }
    }
    json::array to;
    for (const auto& one : person.at("to").as_array()) to.push_back(one.at("email"));
    message["to"] = std::move(to);
    message["headers"] = merged(mail, person, "headers");
    message["variables"] = merged(mail, person, "custom_args");
    return message;
}

class SendGrid final : public SimulatedProvider {
public:
    explicit SendGrid(const ProviderOptions& options)
        : authorization_{"Bearer " + options.sendgrid_key} {}

    [[nodiscard]] std::string_view name() const noexcept override { return "sendgrid"; }
    [[nodiscard]] bool owns(std::string_view asked) const noexcept override {
        return asked == send_path || asked == scopes_path;
    }

    void check(const Request& request, const CheckContext& context,
               Checked& checked) const override {
        auto& answer = checked.answer;
        const bool asks_for_scopes = request.path == scopes_path;
        const auto method = asks_for_scopes ? "GET" : "POST";
        if (request.method != method) return say(answer, 405, {{"method not allowed", ""}});
        if (request.header("authorization") != authorization_) {
            return say(answer, 401,
                       {{"The provided authorization grant is invalid, expired, or revoked", ""}});
        }
        if (asks_for_scopes) {
            checked.kind = Checked::Kind::other;
            answer.body = R"({"scopes":["mail.send","alerts.read"]})";
            return;
        }
        if (!is_json(request)) {
            return say(answer, 415, {{"Content-Type should be application/json.", ""}});
        }
        const auto accept = request.header("accept");
        if (!accept.empty() && accept != "application/json" && accept != "*/*") {
            return say(answer, 406, {{"Accept should be application/json.", ""}});
        }
        if (request.body.size() > body_bytes_max) {
            answer.status = 413;
            answer.type = "text/html";
            answer.body = "<html><body><h1>413 Request Entity Too Large</h1></body></html>";
            return;
        }
        json::monotonic_resource memory{request.body.size() + 4'096};
        boost::system::error_code error;
        const auto body = json::parse(request.body, error, &memory);
        if (error || !body.is_object()) return say(answer, 400, {{"Bad Request", ""}});
        const auto& mail = body.get_object();
        checked.arena.reserve(request.body.size());
        const auto errors = check_mail(mail, context.now_s, checked);
        if (!errors.empty()) return say(answer, 400, errors);

        checked.reference = checked.keep(find_reference(mail));
        const bool dry = is_sandbox(mail);
        checked.kind = dry ? Checked::Kind::other : Checked::Kind::message;
        answer.status = dry ? 200 : 202;
        if (!dry) answer.headers.emplace_back("x-message-id", message_id(context.number));
    }

    void refuse(const Trouble& trouble, Answer& answer) const override {
        switch (trouble.kind) {
            case Trouble::Kind::refuse: {
                std::vector<SendGridError> errors;
                for (const auto& refused : trouble.refused) {
                    const auto field = refused.code.empty() ? "to.0.email" : refused.code;
                    errors.push_back({"Does not contain a valid address.",
                                      fmt::format("personalizations.{}.{}", refused.place, field)});
                }
                return say(answer, 400, errors);
            }
            case Trouble::Kind::throttle:
            case Trouble::Kind::concurrency:
                answer.headers.emplace_back("x-ratelimit-remaining", "0");
                answer.headers.emplace_back(
                    "x-ratelimit-reset", fmt::format("{}", trouble.now_s + trouble.retry_after_s));
                return say(answer, 429, {{"too many requests", ""}});
            case Trouble::Kind::error:
                return say(answer, trouble.status != 0 ? trouble.status : 500,
                           {{"internal server error", ""}});
        }
    }

    [[nodiscard]] std::optional<json::object> render(const Request& request,
                                                     std::string_view address) const override {
        boost::system::error_code error;
        const auto body = json::parse(request.body, error);
        if (error) return std::nullopt;
        try {
            const auto& mail = body.as_object();
            for (const auto& person : mail.at("personalizations").as_array()) {
                if (!is_to(person.as_object(), address)) continue;
                return render_person(mail, person.as_object());
            }
        } catch (const std::exception&) {
            // A member is missing or of another type: such a request was not accepted.
        }
        return std::nullopt;
    }

    void describe(const Request& request, const CheckContext& context,
                  std::span<const std::string_view> recipients,
                  std::vector<Delivery>& out) const override {
        boost::system::error_code error;
        const auto body = json::parse(request.body, error);
        if (error) return;
        const auto& mail = body.as_object();
        const auto& people = mail.at("personalizations").as_array();
        std::size_t at = 0;  // Recipients are in the order of personalizations.
        for (const auto address : recipients) {
            while (at < people.size() && !is_to(people[at].as_object(), address)) ++at;
            if (at == people.size()) return;
            const auto& person = people[at].as_object();
            auto& delivery = out.emplace_back();
            delivery.scheme = Scheme::sendgrid;
            delivery.address = address;
            delivery.message_id = message_id(context.number);
            delivery.sender = text_at(mail.at("from").as_object(), "email");
            for (const auto& [name, value] : merged(mail, person, "custom_args")) {
                delivery.data.emplace_back(name, value.as_string());
            }
            // Of several in one envelope each is found; else the next has the next envelope.
            if (person.at("to").as_array().size() == 1) ++at;
        }
    }

    static std::string message_id(std::uint64_t number) { return fmt::format("{:022x}", number); }

private:
    std::string authorization_;
};

}  // namespace

std::unique_ptr<SimulatedProvider> make_sendgrid(const ProviderOptions& options) {
    return std::make_unique<SendGrid>(options);
}

}  // namespace fanfare::sim
