#include "core/providers/classification.hpp"
#include "core/providers/sendgrid/sendgrid.hpp"

#include <boost/json/array.hpp>

#include <charconv>
#include <map>
#include <optional>

namespace fanfare::sendgrid {
namespace {

constexpr Meaning bad_address{Verdict::suppress, Reason::address_invalid, "to is not valid"};
constexpr Meaning bad_person{Verdict::perm_rcpt, Reason::recipient_refused, "recipient refused"};
constexpr Meaning bad_call{Verdict::perm_req, Reason::request_refused, "request refused"};
// Nothing of such a call was sent: those whom nobody blames are only late.
constexpr Meaning others_wait{Verdict::transient, Reason::request_refused,
                              "refused because of some recipients"};
constexpr Meaning unusable{Verdict::config, Reason::account_unusable, "account or address"};

/// By place in the call.
using Blamed = std::map<std::uint32_t, Meaning>;

/// "personalizations.3.to.0.email" puts blame on the fourth recipient. False where the
/// field is of the whole call.
bool blame(std::string_view field, std::size_t count, Blamed& blamed) {
    constexpr std::string_view lead = "personalizations.";
    if (!field.starts_with(lead)) return false;
    field.remove_prefix(lead.size());
    std::uint32_t place = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), place);
    if (error != std::errc{} || place >= count) return false;
    field.remove_prefix(static_cast<std::size_t>(end - field.data()));
    if (!field.empty() && !field.starts_with('.')) return false;
    const bool is_address = field.starts_with(".to.") && field.ends_with(".email");
    // Whoever has a bad address and other faults has a bad address.
    const auto [found, is_new] = blamed.try_emplace(place, is_address ? bad_address : bad_person);
    if (!is_new && is_address) found->second = bad_address;
    return true;
}

/// The errors of SendGrid's own document, each with a message; null for any other document.
const boost::json::array* read_errors(const boost::json::value& body) {
    if (!body.is_object()) return nullptr;
    const auto* const errors = body.get_object().if_contains("errors");
    const auto* const list = errors == nullptr ? nullptr : errors->if_array();
    if (list == nullptr || list->empty()) return nullptr;
    for (const auto& error : *list) {
        const auto* const fields = error.if_object();
        if (fields == nullptr || string_at(*fields, "message").empty()) return nullptr;
    }
    return list;
}

/// Whom a 400 blames; nobody where it blames the call.
Blamed read_blame(const boost::json::array& errors, std::size_t count) {
    Blamed blamed;
    for (const auto& error : errors) {
        const auto* const fields = error.if_object();
        if (fields == nullptr || !blame(string_at(*fields, "field"), count, blamed)) return {};
    }
    return blamed;
}

BatchAnswer read_refusal(const HttpAnswer& answer, const boost::json::array& errors,
                         std::size_t count, std::int64_t now_unix) {
    const auto blamed = read_blame(errors, count);
    if (blamed.empty()) return as_answer(type, bad_call, answer, now_unix);
    if (count == 1) return as_answer(type, blamed.begin()->second, answer, now_unix);
    const bool all = blamed.size() == count;
    auto result = as_answer(type, all ? bad_person : others_wait, answer, now_unix);
    result.resend_rest = !all;
    for (const auto& [place, meaning] : blamed) {
        result.exceptions.push_back({place, meaning.verdict, meaning.reason, ""});
    }
    return result;
}

}  // namespace

BatchAnswer read_answer(const HttpAnswer& answer, std::size_t count, std::int64_t now_unix) {
    if (auto fault = transport_fault(type, answer)) return *std::move(fault);
    if (is_success(answer.status)) {
        // Only a 202 is documented, and only with an id: else it was not SendGrid.
        const bool is_taken = answer.status == 202 && is_storable_id(answer.message_id);
        return is_taken ? accepted(answer.message_id) : unreadable(type, answer.status);
    }
    boost::json::value body;
    if (!parse_object(answer.body, body)) body = nullptr;
    const auto* const errors = read_errors(body);
    if (errors != nullptr && answer.status == 400) {
        return read_refusal(answer, *errors, count, now_unix);
    }
    ErrorDocument document{.own = errors != nullptr};
    if (document.own && answer.status == 415) document.meaning = unusable;
    return classify_error(type, document, answer, count, now_unix);
}

}  // namespace fanfare::sendgrid
