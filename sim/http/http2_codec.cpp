#include "sim/http/codec.hpp"
#include "sim/http/request_store.hpp"

#include "core/handle/handle.hpp"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <array>
#include <cstring>
#include <vector>

namespace fanfare::sim {

namespace {

using Session = Handle<nghttp2_session, nghttp2_session_del>;
using Callbacks = Handle<nghttp2_session_callbacks, nghttp2_session_callbacks_del>;

constexpr std::int32_t connection_window_bytes = 16 * 1024 * 1024;
constexpr std::uint32_t stream_window_bytes = 1024 * 1024;

/// One stream: the request as it arrives, then the answer as it leaves.
struct Stream {
    explicit Stream(const HttpBounds& bounds) : store{bounds} {}

    ExchangeId id = 0;
    RequestStore store;
    bool complete = false;
    bool answered = false;
    std::string body;
    std::size_t written = 0;
};

/// HTTP/2 on nghttp2. Streams are used again, memory included.
class Http2Codec final : public Codec {
public:
    Http2Codec(CodecEvents& events, const HttpBounds& bounds);

    void feed(std::string_view bytes) override {
        const auto used = nghttp2_session_mem_recv(
            session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
        if (used < 0) finished_ = true;
    }

    void answer(ExchangeId id, Answer& answer) override;
    void abandon(ExchangeId id) override;
    const Request* request(ExchangeId id) override;
    void flush(std::string& out) override;

    [[nodiscard]] bool finished() const override {
        return finished_ || (nghttp2_session_want_read(session_.get()) == 0 &&
                             nghttp2_session_want_write(session_.get()) == 0);
    }
    // Flow control bounds what may come.
    [[nodiscard]] bool full() const override { return false; }
    [[nodiscard]] bool reading() const override { return reading_ > 0; }

private:
    static constexpr std::size_t flush_bytes = 256 * 1024;

    static Http2Codec& self(void* user) { return *static_cast<Http2Codec*>(user); }
    static Callbacks make_callbacks();
    static int on_begin_headers(nghttp2_session*, const nghttp2_frame*, void*);
    static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t*, std::size_t,
                         const std::uint8_t*, std::size_t, std::uint8_t, void*);
    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t*,
                       std::size_t, void*);
    static int on_frame(nghttp2_session*, const nghttp2_frame*, void*);
    static int on_close(nghttp2_session*, std::int32_t, std::uint32_t, void*);
    static ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t,
                             std::uint32_t*, nghttp2_data_source*, void*);

    [[nodiscard]] Stream* find(ExchangeId id) const {
        return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session_.get(), id));
    }
    [[nodiscard]] bool keep_header(Stream& stream, std::string_view name, std::string_view value);
    void refuse(Stream& stream, int status);
    Stream* open_stream(ExchangeId id);
    void give_back(Stream* stream);

    CodecEvents& events_;
    HttpBounds bounds_;
    // Free ones may be used again; all of them live here, so that none is lost.
    std::vector<std::unique_ptr<Stream>> streams_;
    std::vector<Stream*> free_;
    std::uint32_t reading_ = 0;
    bool finished_ = false;
    Session session_;
};

Callbacks Http2Codec::make_callbacks() {
    nghttp2_session_callbacks* made = nullptr;
    nghttp2_session_callbacks_new(&made);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, on_close);
    return Callbacks{made};
}

Http2Codec::Http2Codec(CodecEvents& events, const HttpBounds& bounds)
    : events_{events}, bounds_{bounds} {
    static const auto callbacks = make_callbacks();
    nghttp2_session* made = nullptr;
    nghttp2_session_server_new(&made, callbacks.get(), this);
    session_.reset(made);
    const std::array<nghttp2_settings_entry, 3> settings{{
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, bounds.streams_max},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window_bytes},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
         static_cast<std::uint32_t>(bounds.header_bytes_max)},
    }};
    nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    nghttp2_session_set_local_window_size(made, NGHTTP2_FLAG_NONE, 0, connection_window_bytes);
}

Stream* Http2Codec::open_stream(ExchangeId id) {
    if (free_.empty()) {
        streams_.push_back(std::make_unique<Stream>(bounds_));
        free_.push_back(streams_.back().get());
    }
    auto* stream = free_.back();
    free_.pop_back();
    stream->id = id;
    stream->store.clear();
    stream->complete = false;
    stream->answered = false;
    stream->written = 0;
    return stream;
}

void Http2Codec::give_back(Stream* stream) {
    if (!stream->complete) --reading_;
    stream->id = 0;
    free_.push_back(stream);
}

int Http2Codec::on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    auto& codec = self(user);
    auto* stream = codec.open_stream(frame->hd.stream_id);
    ++codec.reading_;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    return 0;
}

bool Http2Codec::keep_header(Stream& stream, std::string_view name, std::string_view value) {
    if (name == ":method") {
        stream.store.set_method(value);
        return true;
    }
    if (name == ":path") return stream.store.add_target(value);
    if (name.starts_with(':')) {
        if (name != ":authority") return true;
        name = "host";
    }
    return stream.store.add_name(name) && stream.store.add_value(value);
}

int Http2Codec::on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                          std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                          std::uint8_t, void* user) {
    auto& codec = self(user);
    auto* stream = codec.find(frame->hd.stream_id);
    if (stream == nullptr || stream->answered) return 0;
    const std::string_view name_text{reinterpret_cast<const char*>(name), name_size};
    const std::string_view value_text{reinterpret_cast<const char*>(value), value_size};
    if (!codec.keep_header(*stream, name_text, value_text)) codec.refuse(*stream, 431);
    return 0;
}

int Http2Codec::on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                        std::size_t size, void* user) {
    auto& codec = self(user);
    auto* stream = codec.find(id);
    if (stream == nullptr || stream->answered) return 0;
    if (!stream->store.add_body({reinterpret_cast<const char*>(data), size})) {
        codec.refuse(*stream, 413);
    }
    return 0;
}

int Http2Codec::on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    auto& codec = self(user);
    auto* stream = codec.find(frame->hd.stream_id);
    if (stream == nullptr || stream->complete) return 0;
    stream->complete = true;
    --codec.reading_;
    if (!stream->answered) codec.events_.on_request(stream->id, stream->store.finish(true));
    return 0;
}

int Http2Codec::on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
    auto& codec = self(user);
    auto* stream = codec.find(id);
    if (stream == nullptr) return 0;
    if (stream->complete && !stream->answered) codec.events_.on_cancelled(id);
    codec.give_back(stream);
    return 0;
}

void Http2Codec::refuse(Stream& stream, int status) {
    Answer answer;
    answer.status = status;
    this->answer(stream.id, answer);
}

ssize_t Http2Codec::read_body(nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t room,
                              std::uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& stream = *static_cast<Stream*>(source->ptr);
    const auto size = std::min(room, stream.body.size() - stream.written);
    // NOLINTNEXTLINE(bugprone-not-null-terminated-result): a body is no C string.
    std::memcpy(out, stream.body.data() + stream.written, size);
    stream.written += size;
    if (stream.written == stream.body.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(size);
}

void Http2Codec::answer(ExchangeId id, Answer& answer) {
    auto* stream = find(id);
    if (stream == nullptr || stream->answered) return;
    stream->answered = true;
    std::swap(stream->body, answer.body);
    std::array<char, 4> status{};
    fmt::format_to_n(status.data(), 3, "{}", answer.status);
    std::array<char, 24> length{};
    const auto length_end =
        fmt::format_to_n(length.data(), length.size(), "{}", stream->body.size());
    std::array<nghttp2_nv, 16> headers{};
    std::size_t count = 0;
    const auto add = [&](std::string_view name, std::string_view value) {
        if (count == headers.size()) return;
        // nghttp2 copies both; its type merely lacks const.
        headers[count++] = {
            const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(name.data())),
            const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(value.data())),
            name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
    };
    add(":status", {status.data(), 3});
    add("content-type", answer.type);
    add("content-length", {length.data(), length_end.size});
    for (const auto& [name, value] : answer.headers) add(name, value);
    nghttp2_data_provider provider{};
    provider.source.ptr = stream;
    provider.read_callback = read_body;
    nghttp2_submit_response(session_.get(), id, headers.data(), count, &provider);
}

void Http2Codec::abandon(ExchangeId id) {
    auto* stream = find(id);
    if (stream == nullptr) return;
    stream->answered = true;
    // Not REFUSED_STREAM: that would promise that nothing was processed.
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
}

const Request* Http2Codec::request(ExchangeId id) {
    auto* stream = find(id);
    return stream == nullptr || stream->answered ? nullptr : &stream->store.request();
}

void Http2Codec::flush(std::string& out) {
    while (out.size() < flush_bytes) {
        const std::uint8_t* bytes = nullptr;
        const auto size = nghttp2_session_mem_send(session_.get(), &bytes);
        if (size < 0) finished_ = true;
        if (size <= 0) return;
        out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    }
}

}  // namespace

std::unique_ptr<Codec> make_http2_codec(CodecEvents& events, const HttpBounds& bounds) {
    return std::make_unique<Http2Codec>(events, bounds);
}

}  // namespace fanfare::sim
