// The short texts that travel in headers, links, cookies and topics: any bytes are such a word or
// none, and one that is comes back from its own writing. The first byte chooses which.
#include "core/clock/clock.hpp"
#include "core/crypto/digest.hpp"
#include "core/domain/trace.hpp"
#include "core/domain/uuid.hpp"
#include "core/error/failure.hpp"
#include "core/providers/fcm/service_account.hpp"
#include "core/providers/provider.hpp"
#include "core/providers/smtp/reply_text.hpp"
#include "core/providers/wait_hint.hpp"
#include "core/reference/compact.hpp"
#include "core/reference/reference.hpp"
#include "core/wire/descriptor.hpp"
#include "core/wire/timestamp.hpp"
#include "core/wire/trace_context.hpp"
#include "producer/console/sessions.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace fanfare;

constexpr std::int64_t words_now = 1'767'225'600;
const Secret words_key{"a link key of at least 32 bytes, for fuzzing"};

void try_trace(std::string_view text) {
    const auto trace = decode_trace(text);
    ensure(!trace || decode_trace(encode_trace(*trace)) == trace, "a trace comes back");
    const auto line = text.find('\n');
    const std::array<std::pair<std::string, std::string>, 2> headers{
        {{"TraceParent", std::string{text.substr(0, line)}},
         {"tracestate", line == text.npos ? "" : std::string{text.substr(line + 1)}}}};
    const auto beside = read_trace(headers);
    ensure(beside.empty() || decode_trace(beside).has_value(), "what is kept is a trace");
}

void try_moment(std::string_view text) {
    const auto moment = parse_time_or_utc(text);
    ensure(!moment || parse_timestamp(format_timestamp(*moment)) == moment, "a moment comes back");
    const auto strict = parse_timestamp(text);
    ensure(!strict || strict == moment, "a zone changes nothing else");
}

void try_reference(std::string_view text) {
    static const References references{words_key};
    if (const auto whole = expand_reference(text)) {
        ensure(compact_reference(*whole) == std::string{text}, "a reference comes back");
    }
    if (const auto compact = compact_reference(text)) {
        ensure(expand_reference(*compact) == std::string{text}, "a short reference comes back");
    }
    ensure(!references.read(text, Channel::email), "nobody guesses a tag");
}

void try_wait(std::string_view text) {
    using std::chrono::milliseconds;
    for (const auto wait : {parse_retry_after(text, words_now), wait_until_date(text, words_now),
                            parse_rate_limit_reset(text, words_now)}) {
        ensure(wait >= milliseconds{0} && wait <= wait_hint_max, "a wait has its bounds");
    }
}

void try_reply(std::string_view text) {
    const smtp::ReplyText reply{text, {"us@example.com", "us", "mx.example.com"}};
    for (const auto& word : reply.words()) ensure(!word.empty(), "a word has a letter");
    static_cast<void>(reply.has_any("user unknown|no such user"));
    static_cast<void>(smtp::read_enhanced(text, 550));
}

void try_cookie(std::string_view text) {
    const ManualClock clock{TimePoint{std::chrono::seconds{words_now}}};
    const console::Sessions sessions{words_key, clock};
    ensure(!sessions.open(text), "nobody makes a session");
}

void try_encoding(std::string_view text) {
    const auto plain = base64_decoded(text);
    ensure(!plain || base64(*plain) == text, "one encoding of the same bytes");
    const auto url = base64url_decoded(text);
    ensure(!url || base64url(*url) == text, "one encoding of the same bytes in a URL");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text{reinterpret_cast<const char*>(bytes + 1), size - 1};
    switch (bytes[0] % 9) {
        case 0:
            try_trace(text);
            break;
        case 1:
            try_moment(text);
            break;
        case 2:
            try_reference(text);
            break;
        case 3:
            try_wait(text);
            break;
        case 4:
            try_reply(text);
            break;
        case 5:
            try_cookie(text);
            break;
        case 6:
            try_encoding(text);
            break;
        case 7: {
            const auto key = decode_descriptor(text);
            ensure(!key || decode_descriptor(encode_descriptor(*key)) == key, "a name comes back");
            const auto uuid = parse_uuid(text);
            ensure(!uuid || is_uuid(*uuid), "a job is named in one way");
            break;
        }
        default:
            static_cast<void>(fcm::parse_service_account(text));
    }
    return 0;
}
