#include "sim/providers/ses/ses.hpp"

#include "sim/http/text.hpp"
#include "sim/providers/sendgrid/mail_rules.hpp"
#include "sim/providers/ses/bulk_rules.hpp"
#include "sim/providers/ses/inline_template.hpp"
#include "sim/providers/ses/signature.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

constexpr std::string_view path = "/v2/email/outbound-bulk-emails";
constexpr std::string_view account_path = "/v2/email/account";  // Its quota: sends nothing.

void say(const SesError& error, Answer& answer) {
    answer.status = error.status;
    answer.headers.emplace_back("x-amzn-errortype",
                                fmt::format("{}:http://internal.amazon.com/", error.type));
    answer.body.assign(R"({"message":)");
    append_json_string(error.text, answer.body);
    answer.body.push_back('}');
}

std::string message_id(std::uint64_t number, std::size_t place) {
    return fmt::format("0100{:016x}-{:08x}-000000", number, place);
}

void say_results(const std::vector<EntryFault>& faults, std::uint64_t number, Answer& answer) {
    answer.status = 200;
    auto& out = answer.body;
    out.assign(R"({"BulkEmailEntryResults":[)");
    for (std::size_t i = 0; i < faults.size(); ++i) {
        if (i > 0) out.push_back(',');
        if (faults[i].status.empty()) {
            out.append(R"({"Status":"SUCCESS","MessageId":")").append(message_id(number, i));
            out.append("\"}");
            continue;
        }
        out.append(R"({"Status":")").append(faults[i].status).append(R"(","Error":)");
        append_json_string(faults[i].text, out);
        out.push_back('}');
    }
    out.append("]}");
}

json::object named(const json::object& parent, std::string_view list) {
    json::object out;
    const auto* pairs = parent.if_contains(list);
    if (pairs == nullptr) return out;
    for (const auto& pair : pairs->as_array()) {
        out[text_at(pair.as_object(), "Name")] = text_at(pair.as_object(), "Value");
    }
    return out;
}

/// Entries that were refused stand in the call too, and hold anything.
bool is_to(const json::object& entry, std::string_view address) {
    const auto* destination = entry.if_contains("Destination");
    const auto* lists = destination == nullptr ? nullptr : destination->if_object();
    const auto* to = lists == nullptr ? nullptr : lists->if_contains("ToAddresses");
    const auto* all = to == nullptr ? nullptr : to->if_array();
    return all != nullptr && std::any_of(all->begin(), all->end(), [&](const json::value& one) {
               const auto* text = one.if_string();
               return text != nullptr && std::string_view{*text} == address;
           });
}

json::object render_entry(const json::object& call, const json::object& entry) {
    const auto& content = call.at("DefaultContent").at("Template").at("TemplateContent");
    const auto data = json::parse(entry.at("ReplacementEmailContent")
                                      .at("ReplacementTemplate")
                                      .at("ReplacementTemplateData")
                                      .as_string());
    json::object message;
    message["from"] = call.at("FromEmailAddress");
    message["to"] = entry.at("Destination").at("ToAddresses");
    for (const auto& [part, name] :
         {std::pair{"Subject", "subject"}, std::pair{"Text", "text"}, std::pair{"Html", "html"}}) {
        const auto text = text_at(content.as_object(), part);
        if (!text.empty()) message[name] = fill(text, data.as_object());
    }
    message["headers"] = named(entry, "ReplacementHeaders");
    message["tags"] = named(entry, "ReplacementTags");
    return message;
}

class Ses final : public SimulatedProvider {
public:
    explicit Ses(const ProviderOptions& options) : options_{options} {}

    [[nodiscard]] std::string_view name() const noexcept override { return "ses"; }
    [[nodiscard]] bool owns(std::string_view asked) const noexcept override {
        return asked == path || asked == account_path;
    }
    [[nodiscard]] bool refuses_singly() const noexcept override { return true; }

    void check(const Request& request, const CheckContext& context,
               Checked& checked) const override {
        auto& answer = checked.answer;
        // As every answer of AWS; clients set their clocks by it.
        answer.headers.emplace_back("date", rfc2822_date(context.now_s));
        const bool asks_for_account = request.path == account_path;
        if (request.method != (asks_for_account ? "GET" : "POST")) {
            return say({"UnknownOperationException", "", 404}, answer);
        }
        if (const auto error = check_signature(request, options_, context.now_s);
            !error.type.empty()) {
            return say(error, answer);
        }
        if (asks_for_account) {
            checked.kind = Checked::Kind::other;
            answer.body = R"({"EnforcementStatus":"HEALTHY","ProductionAccessEnabled":true,)"
                          R"("SendQuota":{"Max24HourSend":50000.0,"MaxSendRate":14.0,)"
                          R"("SentLast24Hours":0.0},"SendingEnabled":true})";
            return;
        }
        const auto type = request.header("content-type");
        json::monotonic_resource memory{request.body.size() + 4'096};
        boost::system::error_code error;
        const auto body = json::parse(request.body, error, &memory);
        if (type != "application/json" || error || !body.is_object()) {
            return say({"SerializationException", "not JSON"}, answer);
        }
        thread_local std::vector<EntryFault> faults;
        faults.clear();
        checked.arena.reserve(request.body.size());
        if (const auto bad = check_bulk(body.get_object(), checked, faults); !bad.type.empty()) {
            return say(bad, answer);
        }
        checked.kind = Checked::Kind::message;
        say_results(faults, context.number, answer);
    }

    void refuse(const Trouble& trouble, Answer& answer) const override {
        switch (trouble.kind) {
            case Trouble::Kind::refuse:
                return refuse_entries(trouble, answer);
            case Trouble::Kind::throttle:
            case Trouble::Kind::concurrency:
                return say({"ThrottlingException", "Maximum sending rate exceeded."}, answer);
            case Trouble::Kind::error:
                return say({"InternalFailure", "The request processing has failed.",
                            trouble.status != 0 ? trouble.status : 503},
                           answer);
        }
    }

    [[nodiscard]] std::optional<json::object> render(const Request& request,
                                                     std::string_view address) const override {
        boost::system::error_code error;
        const auto body = json::parse(request.body, error);
        if (error) return std::nullopt;
        try {
            for (const auto& entry : body.at("BulkEmailEntries").as_array()) {
                if (!is_to(entry.as_object(), address)) continue;
                return render_entry(body.as_object(), entry.as_object());
            }
        } catch (const std::exception&) {
            // A member is missing or of another type: such an entry was not accepted.
        }
        return std::nullopt;
    }

    void describe(const Request& request, const CheckContext& context,
                  std::span<const std::string_view> recipients,
                  std::vector<Delivery>& out) const override {
        boost::system::error_code error;
        const auto body = json::parse(request.body, error);
        if (error) return;
        const auto& call = body.as_object();
        if (!call.contains("ConfigurationSetName")) return;  // Nobody publishes its events.
        const auto& entries = call.at("BulkEmailEntries").as_array();
        std::size_t at = 0;  // Recipients are in the order of entries.
        for (const auto address : recipients) {
            while (at < entries.size() && !is_to(entries[at].as_object(), address)) ++at;
            if (at == entries.size()) return;
            auto& delivery = out.emplace_back();
            delivery.scheme = Scheme::ses;
            delivery.address = address;
            delivery.message_id = message_id(context.number, at);
            delivery.sender = text_at(call, "FromEmailAddress");
            for (const auto& tags : {named(call, "DefaultEmailTags"),
                                     named(entries[at].as_object(), "ReplacementTags")}) {
                for (const auto& [name, value] : tags) {
                    delivery.data.emplace_back(name, value.as_string());
                }
            }
            ++at;
        }
    }

private:
    /// Only the entries of those who are refused; the others stay as they were told.
    static void refuse_entries(const Trouble& trouble, Answer& answer) {
        auto body = json::parse(answer.body);
        auto& results = body.at("BulkEmailEntryResults").as_array();
        for (const auto& refused : trouble.refused) {
            const std::string_view status =
                refused.code.empty() ? "MESSAGE_REJECTED" : refused.code;
            results.at(refused.place) =
                json::object{{"Status", status}, {"Error", "Address blacklisted."}};
        }
        answer.body = json::serialize(body);
    }

    ProviderOptions options_;
};

}  // namespace

std::unique_ptr<SimulatedProvider> make_ses(const ProviderOptions& options) {
    return std::make_unique<Ses>(options);
}

}  // namespace fanfare::sim
