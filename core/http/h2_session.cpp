#include "core/http/h2_session.hpp"

#include "core/error/failure.hpp"
#include "core/http/answer_headers.hpp"
#include "core/http/limits.hpp"
#include "core/web/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

namespace fanfare {
namespace {

constexpr std::int32_t connection_window_bytes = 1 << 20;
constexpr std::uint32_t stream_window_bytes = 64 * 1024;
constexpr std::size_t header_overhead_bytes = 32;     // Of one field, as RFC 9113 counts.
constexpr std::size_t fruitless_max = 10'000;         // Frames in a row ...
constexpr std::size_t fruitless_bytes_max = 2 << 20;  // ... and bytes.
constexpr std::size_t fruitful_bytes = 256;           // Of a frame of a body.

std::string_view view(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

/// nghttp2 copies both; its type merely lacks const.
nghttp2_nv field(std::string_view name, std::string_view value) {
    return {const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(name.data())),
            const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(value.data())),
            name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

using Rules = Handle<nghttp2_option, nghttp2_option_del>;

Rules make_rules() {
    nghttp2_option* made = nullptr;
    ensure(nghttp2_option_new(&made) == 0, "nghttp2 gives out options");
    // Blanks around a value break a rule, and are no reason to lose an answer.
    nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(made, 1);
    return Rules{made};
}

/// What is known of an exchange that ends without a complete answer.
Transport without_answer(const OpenExchange& exchange, bool left) {
    // Who answers had the request. Else its last byte decides.
    if (exchange.answer.status != 0) return Transport::in_doubt;
    return exchange.whole && left ? Transport::in_doubt : Transport::not_sent;
}

}  // namespace

struct H2Session::Callbacks {
    using Native = Handle<nghttp2_session_callbacks, nghttp2_session_callbacks_del>;

    static H2Session& self(void* user) { return *static_cast<H2Session*>(user); }

    static int on_header(nghttp2_session* session, const nghttp2_frame* frame,
                         const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                         std::size_t value_size, std::uint8_t, void* user) {
        auto* const exchange = self(user).find(frame->hd.stream_id);
        if (exchange == nullptr) return 0;
        exchange->header_bytes += name_size + value_size + header_overhead_bytes;
        if (exchange->header_bytes > answer_header_bytes_max) {
            nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, nullptr);
            self(user).end(*exchange, Transport::in_doubt,
                           "http2: the answer's headers are too large");
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // Resets the stream.
        }
        const auto text = view(name, name_size);
        if (text == ":status") {
            self(user).on_status(*exchange, view(value, value_size));
        } else {
            keep_header(exchange->answer, text, view(value, value_size));
        }
        return 0;
    }

    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t stream,
                       const std::uint8_t* data, std::size_t size, void* user) {
        auto* const exchange = self(user).find(stream);
        if (exchange == nullptr) return 0;
        if (size >= fruitful_bytes) self(user).note_fruit();
        if (exchange->answer.body.size() + size > answer_bytes_max) {
            self(user).abandon(*exchange, "http2: the answer is too large");
            return 0;
        }
        exchange->answer.body.append(view(data, size));
        return 0;
    }

    static int on_begin(nghttp2_session*, const nghttp2_frame_hd*, void* user) {
        return self(user).bears_frame() ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
    }

    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        self(user).on_frame(*frame);
        return 0;
    }

    static int on_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->hd.type == NGHTTP2_DATA && frame->hd.length > 0) self(user).note_fruit();
        return 0;
    }

    static int on_invalid(nghttp2_session*, const nghttp2_frame* frame, int code, void* user) {
        if (frame->hd.stream_id == 0) {
            self(user).fault_ = fmt::format("http2: {}", nghttp2_strerror(code));
        }
        return 0;
    }

    static int on_close(nghttp2_session*, std::int32_t stream, std::uint32_t code, void* user) {
        self(user).on_close(stream, code);
        return 0;
    }

    static ssize_t read_body(nghttp2_session* session, std::int32_t stream, std::uint8_t* out,
                             std::size_t room, std::uint32_t* flags, nghttp2_data_source*,
                             void* user) {
        auto* const exchange =
            static_cast<OpenExchange*>(nghttp2_session_get_stream_user_data(session, stream));
        if (exchange == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        const std::string_view body = exchange->request->body;
        const auto size = std::min(room, body.size() - exchange->body_read);
        std::memcpy(out, body.data() + exchange->body_read, size);
        exchange->body_read += size;
        if (exchange->body_read == body.size()) {
            *flags |= NGHTTP2_DATA_FLAG_EOF;
            exchange->whole = true;
            exchange->batch = self(user).batch_;
        }
        return static_cast<ssize_t>(size);
    }

    static Native make() {
        nghttp2_session_callbacks* made = nullptr;
        ensure(nghttp2_session_callbacks_new(&made) == 0, "nghttp2 gives out callbacks");
        nghttp2_session_callbacks_set_on_header_callback(made, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
        nghttp2_session_callbacks_set_on_begin_frame_callback(made, on_begin);
        nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame);
        nghttp2_session_callbacks_set_on_frame_send_callback(made, on_sent);
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, on_invalid);
        nghttp2_session_callbacks_set_on_stream_close_callback(made, on_close);
        return Native{made};
    }
};

H2Session::H2Session(std::uint32_t streams_max, std::int32_t first_stream)
    : streams_max_{streams_max} {
    static const auto callbacks = Callbacks::make();
    static const auto rules = make_rules();
    nghttp2_session* made = nullptr;
    ensure(nghttp2_session_client_new2(&made, callbacks.get(), this, rules.get()) == 0,
           "nghttp2 gives out sessions");
    session_.reset(made);
    ensure(nghttp2_session_set_next_stream_id(made, first_stream) == 0, "streams begin there");
    const std::array<nghttp2_settings_entry, 3> settings{{
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window_bytes},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, answer_header_bytes_max},
    }};
    nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    nghttp2_session_set_local_window_size(made, NGHTTP2_FLAG_NONE, 0, connection_window_bytes);
}

OpenExchange* H2Session::find(std::int32_t stream) const {
    return static_cast<OpenExchange*>(nghttp2_session_get_stream_user_data(session_.get(), stream));
}

void H2Session::receive(std::string_view bytes) {
    if (broken_) return;
    const auto used = nghttp2_session_mem_recv(
        session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (used >= 0 && bears_bytes(bytes.size())) return;
    broken_ = true;
    if (!fault_.empty()) return;
    fault_ = fmt::format("http2: {}", nghttp2_strerror(static_cast<int>(used)));
}

void H2Session::gather(std::string& out, std::size_t bytes_max,
                       const std::function<OpenExchange*()>& next) {
    ++batch_;
    while (true) {
        drain(out, bytes_max);
        if (out.size() >= bytes_max || !has_room()) return;
        auto* const exchange = next();
        if (exchange == nullptr) return;
        begin(*exchange);
    }
}

void H2Session::drain(std::string& out, std::size_t bytes_max) {
    while (!broken_ && out.size() < bytes_max) {
        const std::uint8_t* bytes = nullptr;
        const auto size = nghttp2_session_mem_send(session_.get(), &bytes);
        if (size < 0) {
            broken_ = true;
            fault_ = fmt::format("http2: {}", nghttp2_strerror(static_cast<int>(size)));
        }
        if (size <= 0) return;
        out.append(view(bytes, static_cast<std::size_t>(size)));
    }
}

bool H2Session::has_room() const {
    if (!settled_ || broken_ || is_leaving()) return false;
    const auto theirs = nghttp2_session_get_remote_settings(
        session_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    return streams_ < std::min(theirs, streams_max_);
}

bool H2Session::is_leaving() const noexcept {
    return leaving_ || nghttp2_session_check_request_allowed(session_.get()) == 0;
}

void H2Session::begin(OpenExchange& exchange) {
    const auto& request = *exchange.request;
    const bool has_body = !request.get && !request.body.empty();
    std::array<char, 20> length{};
    const auto length_end =
        std::to_chars(length.data(), length.data() + length.size(), request.body.size());
    headers_.clear();
    headers_.push_back(field(":method", request.get ? "GET" : "POST"));
    headers_.push_back(field(":scheme", exchange.origin->tls ? "https" : "http"));
    headers_.push_back(field(":authority", exchange.origin->authority));
    headers_.push_back(field(":path", exchange.path));
    for (const std::string_view line : request.headers) {
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        headers_.push_back(field(line.substr(0, colon), trimmed(line.substr(colon + 1))));
    }
    if (!request.get) {
        headers_.push_back(field("content-length", {length.data(), length_end.ptr}));
    }
    nghttp2_data_provider provider{};
    provider.read_callback = Callbacks::read_body;
    const auto stream =
        nghttp2_submit_request(session_.get(), nullptr, headers_.data(), headers_.size(),
                               has_body ? &provider : nullptr, &exchange);
    exchange.place = open_.size();
    open_.push_back(&exchange);
    if (stream < 0) {
        end(exchange, Transport::not_sent, fmt::format("http2: {}", nghttp2_strerror(stream)));
        return;
    }
    exchange.stream = stream;
    exchange.whole = !has_body;
    exchange.batch = batch_;
    ++streams_;
    ++begun_;
}

void H2Session::end(OpenExchange& exchange, Transport transport, std::string_view fault) {
    exchange.answer.transport = transport;
    exchange.answer.fault = fault;
    exchange.ended = true;
    open_[exchange.place] = open_.back();
    open_[exchange.place]->place = exchange.place;
    open_.pop_back();
    ended_.push_back(&exchange);
}

void H2Session::abandon(OpenExchange& exchange, std::string_view fault) {
    nghttp2_session_set_stream_user_data(session_.get(), exchange.stream, nullptr);
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, exchange.stream, NGHTTP2_CANCEL);
    end(exchange, without_answer(exchange, true), fault);
}

void H2Session::lose(std::string_view fault, bool batch_left) {
    broken_ = true;
    while (!open_.empty()) {
        auto& exchange = *open_.back();
        end(exchange, without_answer(exchange, batch_left || exchange.batch != batch_), fault);
    }
}

void H2Session::ping() { nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr); }

std::vector<OpenExchange*> H2Session::take_ended(std::vector<OpenExchange*> room) {
    room.clear();
    return std::exchange(ended_, std::move(room));
}

bool H2Session::is_over() const {
    return broken_ || (nghttp2_session_want_read(session_.get()) == 0 &&
                       nghttp2_session_want_write(session_.get()) == 0);
}

void H2Session::on_status(OpenExchange& exchange, std::string_view value) {
    int status = 0;
    std::from_chars(value.data(), value.data() + value.size(), status);
    if (status >= 200) exchange.answer.status = status;  // Below, the answer is yet to come.
}

bool H2Session::bears_frame() {
    if (++fruitless_ <= fruitless_max) return true;
    fault_ = "http2: the server sends frames without end that answer nobody";
    return false;
}

bool H2Session::bears_bytes(std::size_t size) {
    fruitless_bytes_ += size;
    if (fruitless_bytes_ <= fruitless_bytes_max) return true;
    fault_ = "http2: the server sends bytes without end that answer nobody";
    return false;
}

void H2Session::note_fruit() { fruitless_ = fruitless_bytes_ = 0; }

void H2Session::on_frame(const nghttp2_frame& frame) {
    auto* const exchange = frame.hd.stream_id == 0 ? nullptr : find(frame.hd.stream_id);
    if (frame.hd.type == NGHTTP2_SETTINGS && (frame.hd.flags & NGHTTP2_FLAG_ACK) == 0) {
        settled_ = true;
    } else if (frame.hd.type == NGHTTP2_PING && (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) {
        ++pongs_;
    } else if (frame.hd.type == NGHTTP2_GOAWAY) {
        leaving_ = true;
        fault_ = fmt::format("http2: GOAWAY {}", nghttp2_http2_strerror(frame.goaway.error_code));
    }
    const bool is_answer = frame.hd.type == NGHTTP2_HEADERS || frame.hd.type == NGHTTP2_DATA;
    if (exchange != nullptr && is_answer && (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        on_end(*exchange);
    }
}

void H2Session::on_end(OpenExchange& exchange) {
    note_fruit();
    nghttp2_session_set_stream_user_data(session_.get(), exchange.stream, nullptr);
    if (!exchange.whole) {  // It answers before it has read all; it need not read the rest.
        nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, exchange.stream,
                                  NGHTTP2_CANCEL);
    }
    if (exchange.answer.status == 0) {  // Which nghttp2 lets pass below 100.
        return end(exchange, Transport::in_doubt, "http2: the answer has no status");
    }
    end(exchange, Transport::answered, {});
}

void H2Session::on_close(std::int32_t stream, std::uint32_t code) {
    --streams_;
    auto* const exchange = find(stream);
    if (exchange == nullptr) return;
    // So nghttp2 closes, too, what stands above the last stream of a GOAWAY.
    const bool refused = code == NGHTTP2_REFUSED_STREAM && exchange->answer.status == 0;
    end(*exchange, refused ? Transport::not_sent : without_answer(*exchange, true),
        fmt::format("http2: the stream was closed: {}", nghttp2_http2_strerror(code)));
}

}  // namespace fanfare
