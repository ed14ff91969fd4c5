#include "sim/http/codec.hpp"
#include "sim/http/request_store.hpp"

#include <fmt/format.h>
#include <http_parser.h>

#include <iterator>

namespace fanfare::sim {

namespace {

/// HTTP/1.1 with keep-alive and pipelining. One exchange at a time: what a client sends
/// behind an unanswered request waits in `backlog_`, so answers keep their order.
class Http1Codec final : public Codec {
public:
    Http1Codec(CodecEvents& events, const HttpBounds& bounds) : events_{events}, store_{bounds} {
        http_parser_init(&parser_, HTTP_REQUEST);
        parser_.data = this;
    }

    void feed(std::string_view bytes) override {
        if (finished_) return;
        if (open_) {
            backlog_.append(bytes);
        } else {
            consume(bytes);
        }
    }

    void answer(ExchangeId, Answer& answer) override {
        if (!open_) return;
        write_head(answer);
        if (answer.more) {
            more_ = std::move(answer.more);
            return;
        }
        out_.append(answer.body);
        close_exchange();
    }

    void abandon(ExchangeId) override {
        open_ = false;
        finished_ = true;
    }

    const Request* request(ExchangeId) override { return open_ ? &store_.request() : nullptr; }

    void flush(std::string& out) override {
        if (more_) stream_more();
        if (out.empty()) {
            out.swap(out_);
        } else {
            out.append(out_);
        }
        out_.clear();
    }

    [[nodiscard]] bool finished() const override { return finished_; }
    [[nodiscard]] bool full() const override {
        return backlog_.size() >= backlog_bytes_max || out_.size() >= out_bytes_max;
    }
    [[nodiscard]] bool reading() const override { return begun_ && !open_; }

private:
    static constexpr std::size_t backlog_bytes_max = 256 * 1024;
    static constexpr std::size_t out_bytes_max = 1024 * 1024;  // Of a client that never reads.
    static constexpr std::size_t stream_piece_bytes = 64 * 1024;

    static Http1Codec& self(http_parser* parser) { return *static_cast<Http1Codec*>(parser->data); }
    static const http_parser_settings& callbacks();

    void consume(std::string_view bytes);
    void close_exchange();
    void write_head(const Answer& answer);
    void stream_more();
    void refuse(int status);
    int on_headers();

    CodecEvents& events_;
    http_parser parser_{};
    RequestStore store_;
    std::string backlog_;
    std::string out_;
    std::function<bool(std::string&)> more_;
    std::string piece_;
    int refusal_ = 400;       // What a parser stop means.
    bool begun_ = false;      // A request has started to arrive.
    bool complete_ = false;   // The parser stands at the end of a request.
    bool open_ = false;       // A request waits for its answer.
    bool consuming_ = false;  // consume() is on the stack: it goes on by itself.
    bool keep_alive_ = true;
    bool finished_ = false;
};

const http_parser_settings& Http1Codec::callbacks() {
    static const http_parser_settings settings = [] {
        http_parser_settings s{};
        s.on_message_begin = [](http_parser* p) {
            self(p).store_.clear();
            self(p).begun_ = true;
            self(p).refusal_ = 431;
            return 0;
        };
        s.on_url = [](http_parser* p, const char* at, std::size_t size) {
            return self(p).store_.add_target({at, size}) ? 0 : 1;
        };
        s.on_header_field = [](http_parser* p, const char* at, std::size_t size) {
            return self(p).store_.add_name({at, size}) ? 0 : 1;
        };
        s.on_header_value = [](http_parser* p, const char* at, std::size_t size) {
            return self(p).store_.add_value({at, size}) ? 0 : 1;
        };
        s.on_headers_complete = [](http_parser* p) { return self(p).on_headers(); };
        s.on_body = [](http_parser* p, const char* at, std::size_t size) {
            return self(p).store_.add_body({at, size}) ? 0 : 1;
        };
        s.on_message_complete = [](http_parser* p) {
            self(p).complete_ = true;
            http_parser_pause(p, 1);
            return 0;
        };
        return s;
    }();
    return settings;
}

int Http1Codec::on_headers() {
    refusal_ = 413;
    parser_.upgrade = 0;  // An offer (h2c) that we do not take, as RFC 9110 allows.
    keep_alive_ = http_should_keep_alive(&parser_) != 0;
    store_.set_method(http_method_str(static_cast<http_method>(parser_.method)));
    constexpr auto unknown = ~std::uint64_t{0};
    if (parser_.content_length != unknown && !store_.expect_body(parser_.content_length)) return -1;
    if (equal_ignoring_case(store_.finish(false).header("expect"), "100-continue")) {
        out_.append("HTTP/1.1 100 Continue\r\n\r\n");
    }
    return 0;
}

void Http1Codec::consume(std::string_view bytes) {
    consuming_ = true;
    while (!bytes.empty() && !open_ && !finished_) {
        const auto used = http_parser_execute(&parser_, &callbacks(), bytes.data(), bytes.size());
        bytes.remove_prefix(std::min(used, bytes.size()));
        if (complete_) {
            http_parser_pause(&parser_, 0);
            complete_ = false;
            begun_ = false;
            open_ = true;
            events_.on_request(1, store_.finish(false));
        } else if (parser_.http_errno != HPE_OK) {
            const auto ours = parser_.http_errno >= HPE_CB_message_begin &&
                              parser_.http_errno <= HPE_CB_chunk_complete;
            refuse(ours ? refusal_ : 400);
        }
    }
    consuming_ = false;
    if (!finished_) backlog_.assign(bytes);
}

void Http1Codec::close_exchange() {
    open_ = false;
    if (!keep_alive_) {
        finished_ = true;
    } else if (!consuming_ && !backlog_.empty()) {
        const auto rest = std::exchange(backlog_, {});
        consume(rest);
    }
}

void Http1Codec::write_head(const Answer& answer) {
    auto to = std::back_inserter(out_);
    fmt::format_to(to, "HTTP/1.1 {} {}\r\nContent-Type: {}\r\n", answer.status,
                   reason_phrase(answer.status), answer.type);
    for (const auto& [name, value] : answer.headers) {
        fmt::format_to(to, "{}: {}\r\n", name, value);
    }
    if (!keep_alive_) out_.append("Connection: close\r\n");
    if (answer.more) {
        out_.append("Transfer-Encoding: chunked\r\n\r\n");
    } else {
        fmt::format_to(to, "Content-Length: {}\r\n\r\n", answer.body.size());
    }
}

void Http1Codec::stream_more() {
    piece_.clear();
    bool last = false;
    while (!last && piece_.size() < stream_piece_bytes) last = !more_(piece_);
    if (!piece_.empty()) {
        fmt::format_to(std::back_inserter(out_), "{:x}\r\n", piece_.size());
        out_.append(piece_).append("\r\n");
    }
    if (!last) return;
    out_.append("0\r\n\r\n");
    more_ = nullptr;
    close_exchange();
}

void Http1Codec::refuse(int status) {
    fmt::format_to(std::back_inserter(out_),
                   "HTTP/1.1 {} {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status,
                   reason_phrase(status));
    finished_ = true;
}

}  // namespace

std::unique_ptr<Codec> make_http1_codec(CodecEvents& events, const HttpBounds& bounds) {
    return std::make_unique<Http1Codec>(events, bounds);
}

}  // namespace fanfare::sim
