#include "core/web/body.hpp"

#include "core/web/text.hpp"

#include <algorithm>

namespace fanfare {
namespace {

using BodyFault = std::optional<HttpFault>;

constexpr std::size_t chunk_line_max = 1'024;
constexpr std::size_t extensions_max = 16 * 1024;
constexpr std::size_t trailers_max = 8 * 1024;
constexpr std::size_t at_first = 16 * 1024;  // A length is only what somebody says.

BodyFault bad_chunk() { return HttpFault{400, "malformed_request", "A chunk is not well-formed."}; }
BodyFault too_large() { return HttpFault{413, "too_large", "The body is too large."}; }

}  // namespace

BodyReader::BodyReader(const RequestHead& head, std::size_t bytes_max)
    : bytes_max_{bytes_max}, state_{head.chunked ? State::digits : State::sized} {
    if (head.chunked) return;
    left_ = head.length;
    if (left_ == 0) state_ = State::whole;
    body_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(left_, at_first)));
}

BodyFault BodyReader::take(std::string_view& bytes) {
    if (state_ == State::sized && left_ > bytes_max_) return too_large();
    while (!bytes.empty() && state_ != State::whole) {
        if (state_ == State::sized || state_ == State::data) {
            copy(bytes);
            continue;
        }
        if (auto fault = step(bytes.front())) return fault;
        bytes.remove_prefix(1);
    }
    return std::nullopt;
}

void BodyReader::copy(std::string_view& bytes) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    body_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
    left_ -= count;
    if (left_ > 0) return;
    state_ = state_ == State::sized ? State::whole : State::data_cr;
}

BodyFault BodyReader::step(char c) {
    switch (state_) {
        case State::digits:
            return read_size(c);
        case State::blank:
        case State::extension:
            return read_extension(c);
        case State::size_end:
            if (c != '\n') return bad_chunk();
            state_ = left_ > 0 ? State::data : State::trailer;
            digits_ = 0;
            line_ = 0;
            return std::nullopt;
        case State::data_cr:
            if (c != '\r') return bad_chunk();
            state_ = State::data_end;
            return std::nullopt;
        case State::data_end:
            if (c != '\n') return bad_chunk();
            state_ = State::digits;
            return std::nullopt;
        case State::trailer:
            return read_trailer(c);
        case State::last_end:
            if (c != '\n') return bad_chunk();
            state_ = State::whole;
            return std::nullopt;
        case State::sized:
        case State::data:
        case State::whole:
            break;
    }
    return std::nullopt;
}

BodyFault BodyReader::read_size(char c) {
    const int digit = hex_digit(c);
    if (digit >= 0) {
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        if (left_ > bytes_max_ - body_.size()) return too_large();
        ++digits_;
        return ++line_ > chunk_line_max ? bad_chunk() : std::nullopt;
    }
    if (digits_ == 0) return bad_chunk();
    if (c == '\r') {
        state_ = State::size_end;
        return std::nullopt;
    }
    state_ = State::blank;
    return read_extension(c);
}

BodyFault BodyReader::read_extension(char c) {
    if (++line_ > chunk_line_max || ++extensions_ > extensions_max) return bad_chunk();
    const bool is_blank = c == ' ' || c == '\t';
    if (state_ == State::blank && is_blank) return std::nullopt;
    if (state_ == State::blank && c == ';') {
        state_ = State::extension;
        return std::nullopt;
    }
    if (state_ == State::blank) return bad_chunk();  // Blanks with nothing behind them.
    if (c == '\r') {
        state_ = State::size_end;
        return std::nullopt;
    }
    return is_value_character(c) ? std::nullopt : bad_chunk();
}

BodyFault BodyReader::read_trailer(char c) {
    if (++trailers_ > trailers_max) {
        return HttpFault{431, "header_too_large", "The trailers are too large."};
    }
    const bool ends = !trailer_.empty() && trailer_.back() == '\r';
    if (!ends && c != '\n') {
        if (trailer_.empty() && c == '\r') {
            state_ = State::last_end;
        } else {
            trailer_.push_back(c);
        }
        return std::nullopt;
    }
    if (!ends || c != '\n') return bad_chunk();
    trailer_.pop_back();
    if (!is_field_line(trailer_)) return bad_chunk();
    trailer_.clear();
    return std::nullopt;
}

}  // namespace fanfare
