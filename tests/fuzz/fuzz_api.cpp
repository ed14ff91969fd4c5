// What a caller of the HTTP API sends besides a job: any members of a body, any query, any headers
// are read within their bounds or refused with a code. The first byte chooses which.
#include "core/error/failure.hpp"
#include "core/web/text.hpp"
#include "core/wire/timestamp.hpp"
#include "producer/api/clients.hpp"
#include "producer/api/event_headers.hpp"
#include "producer/api/fields.hpp"
#include "producer/api/query_string.hpp"
#include "producer/api/text_validation.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace fanfare;

void check_refusal(const HttpReply& reply) {
    ensure(reply.status >= 400 && reply.status < 500, "who sent it is told");
    ensure(reply.body.find("\"code\"") != std::string::npos, "a refusal has a code");
}

void try_fields(std::string_view body) {
    api::Fields fields{body, {"name", "why", "at", "until", "count", "factor", "params"}};
    const bool is_whole = !fields.fault();
    const auto name = fields.text("name", 64);
    const auto why = fields.text_if_there("why", 200);
    const auto note = fields.text_or("note", 20, "none");
    const auto at = fields.moment("at", true);
    const auto until = fields.moment("until", false);
    const auto count = fields.whole_or("count", 1, 1'000, 10);
    const auto factor = fields.real_if_there("factor", 0.5, 2);
    for (const auto& [key, value] : fields.scalars("params")) {
        ensure(!key.empty() || fields.fault(), "a parameter has a name");
    }
    if (fields.fault()) return check_refusal(*fields.fault());
    ensure(is_whole && note == "none", "what is unknown was refused");
    ensure(api::is_plain(name, 64) && (why.empty() || api::is_plain(why, 200)), "plain text");
    ensure(parse_timestamp(at).has_value(), "a moment is one");
    ensure(until.empty() || parse_timestamp(until).has_value(), "a moment is one");
    ensure(count >= 1 && count <= 1'000, "a number has its bounds");
    ensure(!factor || (*factor >= 0.5 && *factor <= 2), "a number has its bounds");
}

void try_query(std::string_view text) {
    constexpr std::array<std::string_view, 4> known{"limit", "cursor", "system", "subject"};
    HttpCall call;
    call.query = text;
    const auto read = api::QueryString::read(call, known);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) return check_refusal(*reply);
    const auto& query = std::get<api::QueryString>(read);
    const auto limit = query.limit();
    ensure(!limit || (*limit >= 1 && *limit <= api::page_max), "a page has its bounds");
    const auto cursor = api::read_cursor(query["cursor"]);
    ensure(!cursor || api::make_cursor(cursor->first, cursor->second) == query["cursor"],
           "a cursor comes back");
    check_refusal(api::bad_query("system", "a name"));
}

/// Headers of a call, "name: value" a line.
void try_headers(std::string_view text) {
    HttpCall call;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const auto colon = std::min(line.find(':'), line.size());
        call.headers.emplace_back(line.substr(0, colon),
                                  trimmed(line.substr(std::min(colon + 1, line.size()))));
    }
    const auto key = api::read_idempotency_key(call);
    if (const auto* const reply = std::get_if<HttpReply>(&key)) check_refusal(*reply);
    static_cast<void>(call.media_type());
    const auto headers = api::event_headers(call);
    if (const auto* const rejection = std::get_if<Rejection>(&headers)) {
        ensure(!rejection->message.empty(), "a refusal says why");
    } else {
        ensure(std::get<api::HeaderList>(headers).size() == call.headers.size(), "each is read");
    }
}

/// Any token, to a server whose client has another.
void try_token(std::string_view text) {
    static const ManualClock clock{TimePoint{std::chrono::seconds{1'767'225'600}}};
    static prometheus::Registry registry;
    static api::Clients clients = [] {
        ClientSettings shop;
        shop.name = "shop";
        shop.token = Secret{"a token of at least 32 bytes, for fuzzing"};
        return api::Clients{{shop}, clock, registry};
    }();
    HttpCall call;
    call.headers = {{"Authorization", std::string{text}}};
    const auto admitted = clients.admit(call, Scope::read);
    const auto* const reply = std::get_if<HttpReply>(&admitted);
    ensure(reply != nullptr, "nobody guesses a token");
    check_refusal(*reply);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text{reinterpret_cast<const char*>(bytes + 1), size - 1};
    switch (bytes[0] % 4) {
        case 0:
            try_fields(text);
            break;
        case 1:
            try_query(text);
            break;
        case 2:
            try_headers(text);
            break;
        default:
            try_token(text);
    }
    return 0;
}
