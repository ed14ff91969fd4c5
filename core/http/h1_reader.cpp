#include "core/http/h1_reader.hpp"

#include "core/http/answer_headers.hpp"
#include "core/http/limits.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <optional>
#include <utility>

namespace fanfare {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

constexpr int final_from = 200;  // Statuses below are interim.
constexpr int switching_protocols = 101;
constexpr std::string_view shortest_end = "0\r\n\r\n";  // Of chunks.

}  // namespace

/// Puts what Beast finds where it belongs.
class H1Reader::Parser final : public beast_http::basic_parser<false> {
public:
    explicit Parser(HttpAnswer& answer) : answer_{answer} {
        eager(true);
        header_limit(answer_header_bytes_max);
        body_limit(boost::none);  // on_body_impl() has one, and an answer beyond it a status.
    }

    [[nodiscard]] int status() const noexcept { return status_; }

private:
    using Field = beast_http::field;
    using Length = boost::optional<std::uint64_t>;

    void on_request_impl(beast_http::verb, string_view, string_view, int, error_code&) override {}
    void on_response_impl(int code, string_view, int, error_code& fault) override {
        status_ = code;
        // Beast takes any three digits.
        if (code < 100 || code == switching_protocols) fault = beast_http::error::bad_status;
    }
    void on_field_impl(Field, string_view name, string_view value, error_code&) override {
        if (status_ < final_from) return;
        keep_header(answer_, {name.data(), name.size()}, {value.data(), value.size()});
    }
    /// Not before, so that pieces of a head say no more than all of it.
    void on_header_impl(error_code&) override {
        if (status_ >= final_from) answer_.status = status_;
    }
    void on_body_init_impl(const Length&, error_code&) override {}
    std::size_t on_body_impl(string_view body, error_code& fault) override {
        if (answer_.body.size() + body.size() > answer_bytes_max) {
            fault = beast_http::error::body_limit;
            return 0;
        }
        answer_.body.append(body.data(), body.size());
        return body.size();
    }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code& fault) override {
        return on_body_impl(body, fault);
    }
    void on_finish_impl(error_code&) override {}

    HttpAnswer& answer_;
    int status_ = 0;
};

struct H1Reader::Parsing {
    std::optional<Parser> parser;
};

H1Reader::H1Reader() : parsing_{std::make_unique<Parsing>()} {}
H1Reader::~H1Reader() = default;

void H1Reader::begin(HttpAnswer& answer) {
    answer_ = &answer;
    parsing_->parser.emplace(answer);
    rest_.clear();
    spoilt_ = false;
}

H1Reader::State H1Reader::refuse(std::string fault) {
    fault_ = "http1: " + std::move(fault);
    return State::broken;
}

H1Reader::State H1Reader::read(std::string_view bytes) {
    const bool continues = !rest_.empty();
    if (continues) bytes = rest_.append(bytes);
    // Beast's assertion: of the last chunk's line and more it wants to see so much again.
    const bool in_chunks = parsing_->parser->is_header_done() && parsing_->parser->chunked();
    if (continues && in_chunks && bytes.size() < shortest_end.size()) return State::more;
    const auto state = parse(bytes);
    if (state != State::more) return state;
    if (bytes.size() > answer_header_bytes_max) return refuse("a line of the answer does not end");
    if (continues) {
        rest_.erase(0, rest_.size() - bytes.size());
    } else {
        rest_.assign(bytes);
    }
    return state;
}

H1Reader::State H1Reader::parse(std::string_view& bytes) {
    while (!bytes.empty()) {
        error_code fault;
        bytes.remove_prefix(parsing_->parser->put(boost::asio::buffer(bytes), fault));
        if (fault == beast_http::error::need_more) return State::more;
        if (fault) return refuse("the answer: " + fault.message());
        if (!parsing_->parser->is_done()) continue;
        if (parsing_->parser->status() >= final_from) {
            spoilt_ = !bytes.empty();
            return State::whole;
        }
        parsing_->parser.emplace(*answer_);
    }
    return State::more;
}

H1Reader::State H1Reader::end() {
    if (!parsing_->parser->got_some() || parsing_->parser->status() < final_from) {
        return refuse("the server ended the connection without an answer");
    }
    error_code fault;
    parsing_->parser->put_eof(fault);
    if (fault) return refuse("the answer breaks off");
    return State::whole;
}

bool H1Reader::may_go_on() const { return !spoilt_ && parsing_->parser->keep_alive(); }

}  // namespace fanfare
