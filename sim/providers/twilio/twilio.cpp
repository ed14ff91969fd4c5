#include "sim/providers/twilio/twilio.hpp"

#include "sim/http/text.hpp"
#include "sim/providers/twilio/errors.hpp"
#include "sim/providers/twilio/message_form.hpp"
#include "sim/providers/twilio/sms_text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

namespace fanfare::sim {

namespace {

constexpr std::string_view before_sid = "/2010-04-01/Accounts/";
constexpr std::string_view after_sid = "/Messages.json";

void append_or_null(std::string_view text, std::string& out) {
    if (text.empty()) {
        out.append("null");
    } else {
        append_json_string(text, out);
    }
}

// Formatting a date costs more than the rest of an answer, and it changes once a second.
std::string_view format_date(std::int64_t now_s) {
    thread_local std::int64_t last_s = -1;
    thread_local std::string text;
    if (now_s != last_s) {
        text = rfc2822_date(now_s);
        last_s = now_s;
    }
    return text;
}

// The query parameter `ref` of the callback, kept in the arena. "ref=" needs no decoding
// for what references are made of, but may have any.
std::string_view find_reference(std::string_view callback, Checked& checked) {
    const auto mark = callback.find('?');
    if (mark == callback.npos) return {};
    auto query = callback.substr(mark + 1);
    query = query.substr(0, query.find('#'));
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const auto pair = query.substr(0, end);
        if (pair.starts_with("ref=")) {
            const auto begin = checked.arena.size();
            if (!append_decoded(pair.substr(4), checked.arena)) return {};
            return std::string_view{checked.arena}.substr(begin);
        }
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return {};
}

void say_created(const TwilioMessage& message, std::string_view account,
                 const CheckContext& context, Answer& answer) {
    answer.status = 201;
    auto& out = answer.body;
    auto to = std::back_inserter(out);
    const std::string_view status = !message.send_at.empty()   ? "scheduled"
                                    : !message.service.empty() ? "accepted"
                                                               : "queued";
    const auto date = format_date(context.now_s);
    fmt::format_to(to, R"({{"account_sid":"{}","api_version":"2010-04-01","body":)", account);
    append_json_string(message.body, out);
    fmt::format_to(to, R"(,"date_created":"{}","date_sent":null,"date_updated":"{}",)", date, date);
    out.append(R"("direction":"outbound-api","error_code":null,"error_message":null,"from":)");
    append_or_null(message.from, out);
    out.append(R"(,"messaging_service_sid":)");
    append_or_null(message.service, out);
    fmt::format_to(to, R"(,"num_media":"0","num_segments":"{}","price":null,"price_unit":"USD",)",
                   count_segments(message.body));
    fmt::format_to(
        to,
        R"("sid":"SM{0:032x}","status":"{1}","to":"{2}","uri":"{3}{4}/Messages/SM{0:032x}.json"}})",
        context.number, status, message.to, before_sid, account);
}

class Twilio final : public SimulatedProvider {
public:
    explicit Twilio(const ProviderOptions& options)
        : sid_{options.twilio_sid},
          authorization_{"Basic " + base64(sid_ + ":" + options.twilio_token)},
          test_credentials_{options.twilio_test_credentials} {}

    [[nodiscard]] std::string_view name() const noexcept override { return "twilio"; }
    [[nodiscard]] bool owns(std::string_view path) const noexcept override {
        return path.starts_with(before_sid) && path.ends_with(after_sid);
    }

    void check(const Request& request, const CheckContext& context,
               Checked& checked) const override {
        auto& answer = checked.answer;
        const auto account = request.path.substr(
            before_sid.size(), request.path.size() - before_sid.size() - after_sid.size());
        if (request.header("authorization") != authorization_) {
            answer.headers.emplace_back("www-authenticate", "Basic realm=\"Twilio API\"");
            return say_twilio_error(20003, {}, answer);
        }
        if (account != sid_) return say_twilio_error(20404, request.path, answer);
        if (request.method == "GET") {
            checked.kind = Checked::Kind::other;
            answer.body = R"({"messages":[],"page":0})";
            return;
        }
        if (request.method != "POST") return say_twilio_error(20004, {}, answer);
        const auto type = request.header("content-type");
        const bool is_form = equal_ignoring_case(trimmed(type.substr(0, type.find(';'))),
                                                 "application/x-www-form-urlencoded");
        // Twice the body: the reference is decoded a second time.
        checked.arena.reserve(request.body.size() * 2);
        if (!is_form || !parse_form(request.body, checked.arena, checked.fields)) {
            return say_twilio_error(20001, "the body is not a form", answer);
        }
        const auto message = read_twilio_message(checked.fields);
        auto problem = check_twilio_message(message, checked.fields, context.now_s);
        if (problem.code == 0 && test_credentials_) problem = check_magic_numbers(message);
        if (problem.code != 0) return say_twilio_error(problem.code, problem.subject, answer);
        checked.kind = test_credentials_ ? Checked::Kind::other : Checked::Kind::message;
        checked.recipients.push_back(message.to);
        checked.reference = find_reference(message.callback, checked);
        say_created(message, sid_, context, answer);
    }

    void refuse(const Trouble& trouble, Answer& answer) const override {
        int code = 21211;
        if (trouble.kind == Trouble::Kind::refuse && !trouble.code.empty()) {
            std::from_chars(trouble.code.data(), trouble.code.data() + trouble.code.size(), code);
        } else if (trouble.kind == Trouble::Kind::error) {
            code = trouble.status == 0 ? 20503 : 20000 + trouble.status;
        } else if (trouble.kind != Trouble::Kind::refuse) {
            code = 20429;
            answer.headers.emplace_back("twilio-concurrent-requests",
                                        fmt::format("{}", trouble.concurrent));
            answer.headers.emplace_back("retry-after", fmt::format("{}", trouble.retry_after_s));
        }
        say_twilio_error(code, trouble.recipient, answer);
        if (trouble.kind == Trouble::Kind::error && trouble.status != 0) {
            answer.status = trouble.status;
        }
    }

    void describe(const Request& request, const CheckContext& context,
                  std::span<const std::string_view> recipients,
                  std::vector<Delivery>& out) const override {
        std::string arena;
        std::vector<Field> fields;
        if (!parse_form(request.body, arena, fields)) return;
        const auto message = read_twilio_message(fields);
        if (message.callback.empty()) return;
        for (const auto address : recipients) {
            auto& delivery = out.emplace_back();
            delivery.scheme = Scheme::twilio;
            delivery.address = address;
            delivery.message_id = fmt::format("SM{:032x}", context.number);
            delivery.sender = message.from;
            delivery.callback = message.callback;
            if (message.service.empty()) continue;
            delivery.data.emplace_back("MessagingServiceSid", message.service);
        }
    }

    [[nodiscard]] std::optional<boost::json::object> render(
        const Request& request, std::string_view address) const override {
        std::string arena;
        std::vector<Field> fields;
        if (!parse_form(request.body, arena, fields)) return std::nullopt;
        const auto* to = find_field(fields, "To");
        if (to == nullptr || to->value != address) return std::nullopt;
        boost::json::object message;
        for (const auto& field : fields) message[field.name] = field.value;
        return message;
    }

private:
    std::string sid_;
    std::string authorization_;
    bool test_credentials_;
};

}  // namespace

std::unique_ptr<SimulatedProvider> make_twilio(const ProviderOptions& options) {
    return std::make_unique<Twilio>(options);
}

}  // namespace fanfare::sim
