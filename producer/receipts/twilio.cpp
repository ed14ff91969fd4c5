#include "producer/receipts/twilio.hpp"

#include "producer/http/text.hpp"
#include "producer/receipts/crypto.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

namespace fanfare::receipts {
namespace {

using enum ReceiptEvent;

struct TwilioCode {
    std::string_view code;
    ReceiptEvent event;
};
/// What an error code says of the number; those of sending come here too, when a messaging
/// service finds out later.
constexpr std::array code_meanings{
    TwilioCode{"21211", hard_bounced}, TwilioCode{"21214", hard_bounced},
    TwilioCode{"21217", hard_bounced}, TwilioCode{"21401", hard_bounced},
    TwilioCode{"21610", opted_out},    TwilioCode{"21614", hard_bounced},
    TwilioCode{"30001", soft_bounced}, TwilioCode{"30002", failed},
    TwilioCode{"30003", soft_bounced}, TwilioCode{"30004", soft_bounced},
    TwilioCode{"30005", hard_bounced}, TwilioCode{"30006", hard_bounced},
    TwilioCode{"30007", soft_bounced}, TwilioCode{"30008", soft_bounced},
    TwilioCode{"30009", soft_bounced}, TwilioCode{"30010", soft_bounced},
    TwilioCode{"30034", failed},       TwilioCode{"30036", expired},
    TwilioCode{"30410", soft_bounced}, TwilioCode{"90007", expired},
};

std::optional<ReceiptEvent> decode_event(std::string_view status, std::string_view code) {
    if (status == "accepted" || status == "queued" || status == "scheduled" ||
        status == "sending" || status == "sent") {
        return accepted;
    }
    if (status == "delivered" || status == "partially_delivered") return delivered;
    if (status == "read") return opened;
    if (status == "canceled") return failed;
    if (status != "undelivered" && status != "failed") return std::nullopt;
    for (const auto& meaning : code_meanings) {
        if (meaning.code == code) return meaning.event;
    }
    return status == "undelivered" ? soft_bounced : failed;
}

/// https://host without a port, and with one: the one of the URL, or the scheme's own.
std::array<std::string, 2> both_bases(std::string_view base) {
    const auto scheme = base.find("://");
    const auto host = scheme == std::string_view::npos ? 0 : scheme + 3;
    const auto path = std::min(base.find('/', host), base.size());
    auto colon = base.find(':', base.substr(host, path - host).find(']') == std::string_view::npos
                                    ? host
                                    : base.find(']', host));
    if (colon > path) colon = std::string_view::npos;
    const std::string front{base.substr(0, std::min(colon, path))};
    const std::string rest{base.substr(path)};
    const std::string standard = base.starts_with("http://") ? ":80" : ":443";
    const std::string port =
        colon == std::string_view::npos ? standard : std::string{base.substr(colon, path - colon)};
    return {front + rest, front + port + rest};
}

/// The query as the vendor's SDK writes it anew.
std::string written_anew(const Form& query) {
    std::string out;
    const auto append = [&out](std::string_view text) {
        constexpr std::string_view plain{"-_.!~*'()"};
        for (const char c : text) {
            const bool word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                              (c >= 'a' && c <= 'z') || plain.find(c) != std::string_view::npos;
            if (word) {
                out.push_back(c);
                continue;
            }
            const auto byte = hex({&c, 1});
            out.push_back('%');
            for (const char digit : byte) {
                out.push_back(digit >= 'a' ? static_cast<char>(digit - 'a' + 'A') : digit);
            }
        }
    };
    for (const auto& [name, value] : query) {
        out.push_back(out.empty() ? '?' : '&');
        append(name);
        out.push_back('=');
        append(value);
    }
    return out;
}

/// Every name and value of the form, names in byte order, each with its distinct values.
std::string signed_form(const Form& form) {
    std::map<std::string_view, std::set<std::string_view>> sorted;
    for (const auto& [name, value] : form) sorted[name].insert(value);
    std::string text;
    for (const auto& [name, values] : sorted) {
        for (const auto value : values) text.append(name).append(value);
    }
    return text;
}

class Twilio final : public Receiver {
public:
    Twilio(std::string token, const ReceiverContext& context)
        : token_{std::move(token)},
          bases_{both_bases(context.base_url)},
          references_{context.references} {}

    [[nodiscard]] Reception receive(const HttpCall& call, const Documents& /*documents*/,
                                    std::int64_t /*now_unix*/) const override {
        if (token_.empty()) return Refusal{403, "missing_key"};
        const auto signature = call.header("x-twilio-signature");
        if (signature.empty()) return Refusal{401, "unsigned"};
        const auto query = parse_form(call.query);
        if (!query) return Refusal{403, "forged"};
        std::optional<Form> form{Form{}};
        const auto body_hash = field(*query, "bodySHA256");
        if (body_hash.empty()) {
            form = parse_form(call.body);
        } else if (!same_secret(hex(compute_digest(Digest::sha256, call.body)), lower(body_hash))) {
            return Refusal{403, "forged"};
        }
        if (!form || !is_signed(call, *query, signed_form(*form), signature)) {
            return Refusal{403, "forged"};
        }
        return read(*form, field(*query, "ref"));
    }

private:
    /// Twilio, proxies and SDKs disagree on the port and on the query's encoding: any of the
    /// four is the same URL.
    [[nodiscard]] bool is_signed(const HttpCall& call, const Form& query, std::string_view form,
                                 std::string_view signature) const {
        bool good = false;
        for (const auto& base : bases_) {
            for (const auto& rest : {call.target, call.path + written_anew(query)}) {
                const auto text = base + rest + std::string{form};
                good |= same_secret(base64(compute_hmac(Digest::sha1, token_, text)), signature);
            }
        }
        return good;
    }

    [[nodiscard]] Reception read(const Form& form, std::string_view reference) const {
        ReceiptList list{references_, Channel::sms};
        auto status = field(form, "MessageStatus");
        if (status.empty()) status = field(form, "SmsStatus");
        std::string id{field(form, "MessageSid")};
        id.append(".").append(status);
        const auto what = decode_event(status, field(form, "ErrorCode"));
        if (!what) return AcceptedWebhook{};
        const auto to = field(form, "To");
        const bool plain =
            std::all_of(to.begin(), to.end(), [](char c) { return c > ' ' && c < 127; });
        list.add(reference, *what, 0, plain ? to : std::string_view{}, id);
        return list.take(id);
    }

    std::string token_;
    std::array<std::string, 2> bases_;
    const References& references_;
};

}  // namespace

std::unique_ptr<Receiver> make_twilio(const AccountSettings& account,
                                      const ReceiverContext& context) {
    auto token = account_value(account, "webhook_auth_token");
    if (token.empty()) token = account_value(account, "auth_token");
    return std::make_unique<Twilio>(std::move(token), context);
}

}  // namespace fanfare::receipts
