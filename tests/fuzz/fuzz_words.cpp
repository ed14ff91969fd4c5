// The short texts that travel in headers, links, cookies, topics and rows: any bytes are such a
// word or none, and one that is comes back from its own writing. The first byte chooses which.
#include "core/audience/contact_plan.hpp"
#include "core/clock/clock.hpp"
#include "core/crypto/digest.hpp"
#include "core/domain/trace.hpp"
#include "core/domain/uuid.hpp"
#include "core/error/failure.hpp"
#include "core/kafka/dead_place.hpp"
#include "core/postgres/array.hpp"
#include "core/providers/fcm/service_account.hpp"
#include "core/providers/provider.hpp"
#include "core/providers/smtp/reply_text.hpp"
#include "core/providers/wait_hint.hpp"
#include "core/reference/compact.hpp"
#include "core/reference/reference.hpp"
#include "core/time_zones/time_zone.hpp"
#include "core/tracing/span.hpp"
#include "core/wire/descriptor.hpp"
#include "core/wire/timestamp.hpp"
#include "core/wire/trace_context.hpp"
#include "producer/console/sessions.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
    if (!trace) return;
    ensure(trace_id_in(text) == to_hex(trace->trace), "a trace is named by its id");
    ensure(decode_trace(read_trace(trace_headers(text))) == trace, "a trace goes on in headers");
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

/// References and seals of ours, with one byte of a copy changed: its place and what it becomes are
/// the first two.
void try_own_reference(std::string_view text) {
    static const References references{words_key};
    const Reference own{"0198b6c4-7d1e-7c52-9a6b-3f6f4a1e2d3c", Channel::sms, 7, 1};
    static const auto whole = [&own] {
        std::vector<std::string> refs;
        references.write_refs(own.job, own.channel, own.chunk, 2, refs);
        return own.job + ".7." + refs.back();
    }();
    ensure(references.read(whole, own.channel) == own, "we know what we made");
    ensure(!references.read(whole, Channel::email), "a tag is of one channel");
    MarkedPlace place{.position = own.position};
    text.copy(place.mark.data(), place.mark.size());
    std::string seal;
    references.write_seals(own.job, own.chunk, {&place, 1}, seal);
    const auto mark = references.read_seal(own, seal);
    ensure(mark && std::equal(mark->begin(), mark->end(), place.mark.begin(), place.mark.end()),
           "a mark comes back");
    if (text.size() < 2) return;
    for (auto copy : {whole, seal}) {
        auto& byte = copy[static_cast<unsigned char>(text[0]) % copy.size()];
        const bool is_other = std::exchange(byte, text[1]) != text[1];
        if (!is_other) continue;
        ensure(!references.read(copy, own.channel), "a changed reference is none");
        ensure(!references.read_seal(own, copy), "a changed seal is none");
    }
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
    // Points part a cookie: no client has one in its name.
    auto session = sessions.begin(std::string{text}, "mark");
    const auto sealed = sessions.seal(session);
    const auto opened = sessions.open(sealed);
    ensure(!opened || *opened == session, "a session comes back");
    ensure(opened || text.size() > 500 || text.find('.') != text.npos, "a session is opened");
    ensure(!opened || sessions.form_word(*opened) == sessions.form_word(session),
           "a form is of its session");
    session.until = clock.now();
    ensure(!sessions.open(sessions.seal(session)), "a session ends");
}

void try_encoding(std::string_view text) {
    const auto plain = base64_decoded(text);
    ensure(!plain || base64(*plain) == text, "one encoding of the same bytes");
    const auto url = base64url_decoded(text);
    ensure(!url || base64url(*url) == text, "one encoding of the same bytes in a URL");
}

void try_names(std::string_view text) {
    const auto key = decode_descriptor(text);
    ensure(!key || decode_descriptor(encode_descriptor(*key)) == key, "a name comes back");
    const auto uuid = parse_uuid(text);
    ensure(!uuid || is_uuid(*uuid), "a job is named in one way");
}

void try_service_account(std::string_view text) {
    static_cast<void>(fcm::parse_service_account(text));
}

/// Writes an array of these, reads it, and moves what was read.
void check_array(std::span<const std::string_view> elements) {
    postgres::ArrayLiteral literal;
    for (const auto element : elements) literal.add(element);
    const std::vector<std::string> texts{elements.begin(), elements.end()};
    ensure(postgres::to_array_literal(texts) == literal.text(), "an array is written in one way");
    postgres::TextArray read;
    postgres::parse_array(literal.text(), read);
    const auto moved = std::move(read);
    ensure(
        std::equal(moved.elements.begin(), moved.elements.end(), elements.begin(), elements.end()),
        "an array comes back");
}

/// An array as PostgreSQL writes it; and elements of any bytes, which the first one separates.
void try_array(std::string_view text) {
    postgres::TextArray given;
    postgres::parse_array(text, given);
    check_array(given.elements);
    std::vector<std::string_view> elements;
    while (text.size() > 1) {
        const auto separator = text.front();
        text.remove_prefix(1);
        const auto end = std::min(text.find(separator), text.size());
        elements.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    check_array(elements);
}

void try_dead_place(std::string_view text) {
    const auto place = kafka::parse_dead_place(text);
    ensure(!place || kafka::parse_dead_place(kafka::to_text(*place)) == place,
           "a place comes back");
}

void try_zone(std::string_view text) {
    using std::chrono::seconds;
    static const auto utc = TimeZone::utc();
    const auto zone = TimeZone::find(text);
    if (!zone) return;
    const auto again = TimeZone::find(zone->name());
    ensure(again && again->name() == zone->name(), "a zone comes back by its name");
    for (const seconds since : {seconds{0}, seconds{words_now}, seconds{2 * words_now}}) {
        const auto period = zone->at(TimePoint{since});
        ensure(period.ends > TimePoint{since}, "a period is not over");
        ensure(abs(period.offset) < std::chrono::hours{24}, "a day has its hours");
        ensure(utc.at(TimePoint{since}).offset == seconds{0}, "UTC is what others are told from");
    }
}

void try_plan(std::string_view text) {
    const auto access = read_access(text);
    if (!access) return;
    ensure(!access->table.empty() && access->condition.find("$1") != std::string::npos,
           "a table is asked for a range");
    ensure(std::count(access->texts.begin(), access->texts.end(), access->condition) > 0,
           "a condition is one of the texts");
    static_cast<void>(names_column(access->texts, access->alias, "id"));
    static_cast<void>(names_column({access->condition}, access->alias, "id"));
}

void try_collector(std::string_view text) { static_cast<void>(count_rejected(text)); }

/// Spans are told as JSON whatever their words hold.
void try_span(std::string_view text) {
    Span span;
    span.name = text;
    std::copy_n(text.begin(), std::min(text.size(), span.trace.size()), span.trace.begin());
    std::copy_n(text.begin(), std::min(text.size(), span.id.size()), span.id.begin());
    span.end = TimePoint{std::chrono::seconds{words_now}};
    span.failed = text.size() % 2 == 1;
    span.tell("said", std::string{text});
    span.count("bytes", static_cast<std::int64_t>(text.size()));
    auto child = span;
    child.parent = inside(span).span;
    child.state = text;
    const std::array spans{span, child};
    const auto told = encode_spans({"fuzz", std::string{text}, "1"}, spans);
    boost::json::error_code fault;
    boost::json::parse_options options;
    options.allow_invalid_utf8 = true;  // Who tells a span sees to its words.
    const auto document = boost::json::parse(told, fault, {}, options);
    const auto* const name =
        fault ? nullptr
              : document.find_pointer("/resourceSpans/0/scopeSpans/0/spans/1/name", fault);
    ensure(name != nullptr && name->is_string() && std::string_view{name->get_string()} == text,
           "a span comes back");
}

constexpr std::array words_tried{
    try_trace,    try_moment,    try_reference,       try_wait,  try_reply,      try_cookie,
    try_encoding, try_names,     try_service_account, try_array, try_dead_place, try_zone,
    try_plan,     try_collector, try_own_reference,   try_span};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) return 0;
    words_tried[bytes[0] % words_tried.size()](
        {reinterpret_cast<const char*>(bytes + 1), size - 1});
    return 0;
}
