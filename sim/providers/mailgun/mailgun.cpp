#include "sim/providers/mailgun/mailgun.hpp"

#include "sim/http/multipart.hpp"
#include "sim/http/text.hpp"
#include "sim/providers/mailgun/describe.hpp"
#include "sim/providers/mailgun/mailbox.hpp"
#include "sim/providers/mailgun/options.hpp"
#include "sim/providers/mailgun/recipient_variables.hpp"
#include "sim/providers/mailgun/render.hpp"

#include <fmt/format.h>

#include <iterator>

namespace fanfare::sim {

namespace {

constexpr std::size_t recipients_max = 1'000;
constexpr std::size_t message_bytes_max = 25 * 1024 * 1024;
constexpr std::string_view bad_to =
    "to parameter is not a valid address. please check documentation";

void say(Answer& answer, int status, std::string_view text) {
    answer.status = status;
    answer.body.assign("{\"message\":");
    append_json_string(text, answer.body);
    answer.body.push_back('}');
}

// A check that ends with a 400.
struct Bad {
    std::string text;
    int status = 400;
};

const Part* find_part(const std::vector<Part>& parts, std::string_view name) {
    for (const auto& part : parts) {
        if (part.name == name) return &part;
    }
    return nullptr;
}

bool has_text(const std::vector<Part>& parts, std::string_view name) {
    const auto* part = find_part(parts, name);
    return part != nullptr && !part->value.empty();
}

std::string_view find_domain(std::string_view path) {
    constexpr std::string_view before = "/v3/";
    constexpr std::string_view after = "/messages";
    if (path.size() <= before.size() + after.size() || !path.starts_with(before) ||
        !path.ends_with(after)) {
        return {};
    }
    return path.substr(before.size(), path.size() - before.size() - after.size());
}

/// "/v3/domains/{name}/sending_queues", which sends nothing.
bool asks_for_queues(std::string_view path) {
    return path.starts_with("/v3/domains/") && path.ends_with("/sending_queues");
}

std::string compose_id(const CheckContext& context, std::string_view domain) {
    return fmt::format("{}.1.{:016X}@{}", context.now_s, context.number, domain);
}

Bad check_content(const std::vector<Part>& parts) {
    const auto* from = find_part(parts, "from");
    const bool with_template = has_text(parts, "template");
    if (from == nullptr && !with_template) return {"from parameter is missing"};
    if (from != nullptr && address_of_mailbox(from->value).empty()) {
        return {"from parameter is not a valid address. please check documentation"};
    }
    if (with_template && has_text(parts, "html")) {
        return {"only one of 'html' and 'template' may be specified"};
    }
    if (!with_template && !has_text(parts, "text") && !has_text(parts, "html") &&
        !has_text(parts, "amp-html")) {
        return {"Need at least one of 'text' or 'html' parameters specified"};
    }
    std::size_t bytes = 0;
    for (const auto& part : parts) {
        if (part.name != "to" && part.name != "recipient-variables") bytes += part.value.size();
    }
    if (bytes > message_bytes_max) return {"Message is too large, max is 25MB", 413};
    return {};
}

// Collects the recipients, drops repeated ones and finds out who sees whom.
Bad check_recipients(const std::vector<Part>& parts, Checked& checked) {
    bool shown = false;  // cc: everybody sees these.
    const Part* variables = nullptr;
    bool any_to = false;
    for (const auto& part : parts) {
        if (part.name == "recipient-variables") variables = &part;
        if (part.name != "to" && part.name != "cc" && part.name != "bcc") continue;
        any_to = any_to || part.name == "to";
        shown = shown || part.name == "cc";
        if (!append_addresses(part.value, checked.recipients)) {
            return {fmt::format("{} parameter is not a valid address. please check documentation",
                                part.name)};
        }
    }
    if (!any_to) return {"to parameter is missing"};
    AddressTable table{checked.table, checked.recipients};
    table.build();
    const auto count = checked.recipients.size();
    if (count > recipients_max) return {"Too many recipients, max is 1000"};
    if (variables != nullptr) {
        const auto found = scan_recipient_variables(variables->value, table);
        if (!found.valid) return {"recipient-variables parameter is not valid JSON object"};
        checked.unfilled = static_cast<std::uint32_t>(count) - found.entries;
        shown = shown || found.empty;
    }
    checked.leak = count > 1 && (shown || variables == nullptr);
    return {};
}

class Mailgun final : public SimulatedProvider {
public:
    explicit Mailgun(const ProviderOptions& options)
        : authorization_{"Basic " + base64("api:" + options.mailgun_key)},
          domain_{options.mailgun_domain} {}

    [[nodiscard]] std::string_view name() const noexcept override { return "mailgun"; }
    [[nodiscard]] bool owns(std::string_view path) const noexcept override {
        return asks_for_queues(path) || !find_domain(path).empty();
    }

    void check(const Request& request, const CheckContext& context,
               Checked& checked) const override {
        const auto domain = find_domain(request.path);
        auto& answer = checked.answer;
        const auto method = asks_for_queues(request.path) ? "GET" : "POST";
        if (request.method != method) return say(answer, 405, "Method not allowed");
        if (request.header("authorization") != authorization_) {
            answer.status = 401;
            answer.type = "text/plain";
            answer.body = "Forbidden";
            return;
        }
        if (asks_for_queues(request.path)) {
            checked.kind = Checked::Kind::other;
            answer.body = R"({"regular":{"is_disabled":false},"scheduled":{"is_disabled":false}})";
            return;
        }
        if (!domain_.empty() && domain != domain_) {
            return say(answer, 404, fmt::format("Domain not found: {}", domain));
        }
        thread_local std::vector<Part> parts;
        if (!parse_mailgun_parts(request, checked.arena, checked.fields, parts)) {
            return say(answer, 400, "The request body is not a valid form");
        }
        auto bad = check_content(parts);
        if (bad.text.empty()) bad = check_recipients(parts, checked);
        if (bad.text.empty()) bad.text = check_mailgun_options(parts, context.now_s);
        if (!bad.text.empty()) return say(answer, bad.status, bad.text);

        const auto* reference = find_part(parts, "v:fanfare");
        if (reference != nullptr) checked.reference = reference->value;
        const auto* test = find_part(parts, "o:testmode");
        const bool dry = test != nullptr && (test->value == "yes" || test->value == "true");
        checked.kind = dry ? Checked::Kind::other : Checked::Kind::message;
        answer.status = 200;
        fmt::format_to(std::back_inserter(answer.body),
                       R"({{"id":"<{}>","message":"Queued. Thank you."}})",
                       compose_id(context, domain));
    }

    void refuse(const Trouble& trouble, Answer& answer) const override {
        switch (trouble.kind) {
            case Trouble::Kind::refuse:
                return say(answer, 400, bad_to);
            case Trouble::Kind::throttle:
            case Trouble::Kind::concurrency:
                answer.headers.emplace_back(
                    "x-ratelimit-reset", fmt::format("{}", trouble.now_s + trouble.retry_after_s));
                return say(answer, 429,
                           fmt::format("Domain {} is not allowed to send: account-requests-per-sec "
                                       "limit exceeded, try again after {} seconds",
                                       find_domain(trouble.path), trouble.retry_after_s));
            case Trouble::Kind::error:
                return say(answer, trouble.status != 0 ? trouble.status : 500,
                           "Internal Server Error");
        }
    }

    void describe(const Request& request, const CheckContext& context,
                  std::span<const std::string_view> recipients,
                  std::vector<Delivery>& out) const override {
        describe_mailgun(request, compose_id(context, find_domain(request.path)), recipients, out);
    }

    [[nodiscard]] std::optional<boost::json::object> render(
        const Request& request, std::string_view address) const override {
        return render_mailgun(request, address);
    }

private:
    std::string authorization_;
    std::string domain_;
};

}  // namespace

std::unique_ptr<SimulatedProvider> make_mailgun(const ProviderOptions& options) {
    return std::make_unique<Mailgun>(options);
}

}  // namespace fanfare::sim
