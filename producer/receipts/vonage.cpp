#include "producer/receipts/vonage.hpp"

#include "core/reference/compact.hpp"
#include "producer/http/text.hpp"
#include "producer/receipts/crypto.hpp"
#include "producer/receipts/document.hpp"
#include "producer/receipts/vonage_events.hpp"

#include <algorithm>
#include <optional>

namespace fanfare::receipts {
namespace {

/// The parameters of a receipt of the SMS API, however the account has them sent.
std::optional<Form> read_parameters(const HttpCall& call) {
    if (call.method == "GET") return parse_form(call.query);
    if (call.media_type() != "application/json") return parse_form(call.body);
    const auto document = parse_document(call.body);
    if (!document || !document->is_object()) return std::nullopt;
    Form form;
    for (const auto& member : document->get_object()) {
        const std::string key{member.key().data(), member.key().size()};
        if (member.value().is_string() || member.value().is_int64()) {
            form.emplace_back(key, get_word(document->get_object(), key));
        }
    }
    return form;
}

/// "&name=value&name=value", sorted by name, without `sig` and `left_out`.
std::string signed_parameters(Form form, std::string_view left_out) {
    std::stable_sort(form.begin(), form.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::string text;
    for (auto& [name, value] : form) {
        if (name == "sig" || name == left_out) continue;
        std::replace_if(
            value.begin(), value.end(), [](char c) { return c == '&' || c == '='; }, '_');
        text.append("&").append(name).append("=").append(value);
    }
    return text;
}

/// The signature by the account's method, in lower-case hex; "" for no method we know.
std::string sign(std::string_view method, const std::string& secret, const std::string& text) {
    if (method == "md5hash") return hex(compute_digest(Digest::md5, text + secret));
    if (method == "md5") return hex(compute_hmac(Digest::md5, secret, text));
    if (method == "sha1") return hex(compute_hmac(Digest::sha1, secret, text));
    if (method == "sha256") return hex(compute_hmac(Digest::sha256, secret, text));
    if (method == "sha512") return hex(compute_hmac(Digest::sha512, secret, text));
    return {};
}

std::string whole_reference(std::string_view given, const HttpCall& call) {
    if (auto expanded = expand_reference(given)) return std::move(*expanded);
    if (!given.empty()) return std::string{given};
    const auto query = parse_form(call.query);
    return query ? std::string{field(*query, "ref")} : std::string{};
}

/// "2026-01-01 00:00:03 +0000", as the SMS API writes moments of UTC.
std::int64_t spaced_moment(std::string_view text) {
    std::string iso{text.substr(0, 19)};
    if (iso.size() != 19 || iso[10] != ' ') return 0;
    iso[10] = 'T';
    return moment_seconds(iso.append("Z"));
}

class Vonage final : public Receiver {
public:
    Vonage(const AccountSettings& account, const References& references)
        : secret_{account_value(account, "signature_secret")},
          method_{account_value(account, "signature_method")},
          api_key_{account_value(account, "api_key")},
          references_{references} {
        if (method_.empty()) method_ = "sha256";
    }

    [[nodiscard]] Reception receive(const HttpCall& call, const Documents& /*documents*/,
                                    std::int64_t now_unix) const override {
        if (secret_.empty()) return Refusal{403, "missing_key"};
        constexpr std::string_view scheme{"Bearer "};
        const auto token = call.header("authorization");
        if (token.size() > scheme.size() && same_word(token.substr(0, scheme.size()), scheme)) {
            return receive_message(call, token.substr(scheme.size()), now_unix);
        }
        return receive_sms(call, now_unix);
    }

private:
    [[nodiscard]] Reception receive_message(const HttpCall& call, std::string_view token,
                                            std::int64_t now_unix) const {
        const auto last = token.rfind('.');
        if (last == std::string_view::npos) return Refusal{401, "unsigned"};
        const auto head = token.substr(0, last);
        const auto expected = base64url(compute_hmac(Digest::sha256, secret_, head));
        if (!same_secret(expected, token.substr(last + 1))) return Refusal{403, "forged"};
        const auto dot = head.find('.');
        if (dot == std::string_view::npos) return Refusal{403, "forged"};
        const auto header = decoded(head.substr(0, dot));
        const auto claims = decoded(head.substr(dot + 1));
        if (!header || !claims || get_text(*header, "alg") != "HS256")
            return Refusal{403, "forged"};
        const auto body_hash = hex(compute_digest(Digest::sha256, call.body));
        const bool ours = api_key_.empty() || get_text(*claims, "api_key") == api_key_;
        if (!ours || !same_secret(body_hash, get_text(*claims, "payload_hash"))) {
            return Refusal{403, "forged"};
        }
        if (!is_timely(get_seconds(*claims, "iat"), now_unix)) return Refusal{403, "stale"};
        const auto document = parse_document(call.body);
        if (!document || !document->is_object()) return Refusal{400, "malformed"};
        const auto jti = get_text(*claims, "jti");
        return read_message(call, document->get_object(), jti.empty() ? expected : jti);
    }

    [[nodiscard]] Reception read_message(const HttpCall& call, const Object& message,
                                         std::string_view jti) const {
        const auto& error = get_object(message, "error");
        const auto place = get_text(error, "type");
        const auto mark = place.rfind('#');
        const auto code = mark == std::string_view::npos ? get_word(error, "title")
                                                         : std::string{place.substr(mark + 1)};
        const auto status = get_text(message, "status");
        const auto what = vonage_message_event(status, code);
        ReceiptList list{references_, Channel::sms};
        if (what) {
            std::string id{get_text(message, "message_uuid")};
            id.append(".").append(status);
            list.add(whole_reference(get_text(message, "client_ref"), call), *what,
                     moment_seconds(get_text(message, "timestamp")), get_text(message, "to"), id);
        }
        return list.take(std::string{jti});
    }

    [[nodiscard]] Reception receive_sms(const HttpCall& call, std::int64_t now_unix) const {
        const auto form = read_parameters(call);
        if (!form) return Refusal{400, "malformed"};
        const auto signature = lower(field(*form, "sig"));
        if (signature.empty()) return Refusal{401, "unsigned"};
        // Our own query of the callback may or may not be among what Vonage signs.
        bool good = false;
        for (const std::string_view left_out : {"", "ref"}) {
            const auto expected = sign(method_, secret_, signed_parameters(*form, left_out));
            good |= !expected.empty() && same_secret(expected, signature);
        }
        if (!good) return Refusal{403, "forged"};
        const auto signed_at = unix_seconds(field(*form, "timestamp"));
        if (!signed_at || !is_timely(*signed_at, now_unix)) return Refusal{403, "stale"};
        ReceiptList list{references_, Channel::sms};
        const auto status = field(*form, "status");
        if (const auto what = vonage_sms_event(status, field(*form, "err-code"))) {
            auto id = event_id(field(*form, "messageId"), status);
            auto to = field(*form, "msisdn");
            const bool digits =
                std::all_of(to.begin(), to.end(), [](char c) { return c >= '0' && c <= '9'; });
            if (!digits) to = {};
            list.add(whole_reference(field(*form, "client-ref"), call), *what,
                     spaced_moment(field(*form, "message-timestamp")), to, id);
        }
        return list.take(signature);
    }

    static std::string event_id(std::string_view message, std::string_view status) {
        const auto plain = [](char c) { return c > ' ' && c < '\x7f'; };
        if (!std::all_of(message.begin(), message.end(), plain)) return {};
        return std::string{message}.append(".").append(status);
    }

    static std::optional<Object> decoded(std::string_view segment) {
        const auto bytes = base64url_decoded(segment);
        if (!bytes) return std::nullopt;
        auto document = parse_document(*bytes);
        if (!document || !document->is_object()) return std::nullopt;
        return std::move(document->get_object());
    }

    std::string secret_;
    std::string method_;
    std::string api_key_;
    const References& references_;
};

}  // namespace

std::unique_ptr<Receiver> make_vonage(const AccountSettings& account,
                                      const ReceiverContext& context) {
    return std::make_unique<Vonage>(account, context.references);
}

}  // namespace fanfare::receipts
