#include "sim/http/request_store.hpp"

namespace fanfare::sim {

namespace {

// A large body's memory is given back: a connection must not keep what one request needed.
constexpr std::size_t body_bytes_kept = 1024 * 1024;

}  // namespace

void RequestStore::clear() {
    method_.clear();
    target_.clear();
    text_.clear();
    pieces_.clear();
    in_value_ = true;
    body_.clear();
    if (body_.capacity() > body_bytes_kept) body_.shrink_to_fit();
}

bool RequestStore::room_for(std::size_t bytes) const noexcept {
    return target_.size() + text_.size() + bytes <= bounds_->header_bytes_max;
}

bool RequestStore::add_target(std::string_view piece) {
    if (!room_for(piece.size())) return false;
    target_.append(piece);
    return true;
}

bool RequestStore::add_name(std::string_view piece) {
    if (!room_for(piece.size())) return false;
    if (in_value_) {
        if (pieces_.size() == bounds_->header_fields_max) return false;
        const auto here = static_cast<std::uint32_t>(text_.size());
        pieces_.push_back({.name = here, .value = here});
        in_value_ = false;
    }
    text_.append(piece);
    pieces_.back().name_size += static_cast<std::uint32_t>(piece.size());
    pieces_.back().value = static_cast<std::uint32_t>(text_.size());
    return true;
}

bool RequestStore::add_value(std::string_view piece) {
    if (pieces_.empty() || !room_for(piece.size())) return false;
    in_value_ = true;
    text_.append(piece);
    pieces_.back().value_size += static_cast<std::uint32_t>(piece.size());
    return true;
}

bool RequestStore::expect_body(std::uint64_t bytes) {
    if (bytes > bounds_->body_bytes_max) return false;
    // At most this much on the client's word alone.
    body_.reserve(std::min<std::size_t>(bytes, body_bytes_kept));
    return true;
}

bool RequestStore::add_body(std::string_view piece) {
    if (body_.size() + piece.size() > bounds_->body_bytes_max) return false;
    body_.append(piece);
    return true;
}

const Request& RequestStore::finish(bool http2) {
    const std::string_view text{text_};
    fields_.clear();
    for (const auto& piece : pieces_) {
        fields_.push_back(
            {text.substr(piece.name, piece.name_size), text.substr(piece.value, piece.value_size)});
    }
    const std::string_view target{target_};
    const auto mark = target.find('?');
    request_ = {.method = method_,
                .path = target.substr(0, mark),
                .query = mark == target.npos ? std::string_view{} : target.substr(mark + 1),
                .headers = fields_,
                .body = body_,
                .http2 = http2};
    return request_;
}

}  // namespace fanfare::sim
