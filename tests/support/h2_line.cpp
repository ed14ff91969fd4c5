#include "tests/support/h2_line.hpp"

#include <algorithm>
#include <stdexcept>

namespace fanfare::test {
namespace {

constexpr std::size_t head_bytes = 9;
constexpr std::size_t frame_bytes_max = 16 * 1024;

std::uint32_t number(std::string_view bytes) {
    std::uint32_t value = 0;
    for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return value;
}

/// A length of HPACK, with seven bits in its first byte.
void add_length(std::string& out, std::size_t size) {
    constexpr std::size_t most = 127;
    if (size < most) {
        out.push_back(static_cast<char>(size));
        return;
    }
    out.push_back(static_cast<char>(most));
    for (size -= most; size >= 128; size /= 128) out.push_back(static_cast<char>(size % 128 + 128));
    out.push_back(static_cast<char>(size));
}

}  // namespace

std::string four_bytes(std::uint32_t value) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
    return out;
}

std::string header_block(const H2Line::Fields& fields) {
    std::string out;
    for (const auto& [name, value] : fields) {
        out.push_back('\0');  // A literal that is not indexed, with a literal name.
        add_length(out, name.size());
        out += name;
        add_length(out, value.size());
        out += value;
    }
    return out;
}

H2Line::H2Line(Line& line) : line_{line} {
    if (nghttp2_hd_inflate_new(&inflater_) != 0) throw std::runtime_error{"no inflater"};
}

H2Line::~H2Line() { nghttp2_hd_inflate_del(inflater_); }

bool H2Line::shake_hands(const Settings& settings) {
    const auto preface = line_.read(NGHTTP2_CLIENT_MAGIC_LEN);
    if (!preface || *preface != NGHTTP2_CLIENT_MAGIC) return false;
    std::string payload;
    for (const auto& [id, value] : settings) {
        payload.push_back(static_cast<char>(id >> 8));
        payload.push_back(static_cast<char>(id));
        payload += four_bytes(value);
    }
    write_frame(NGHTTP2_SETTINGS, 0, 0, payload);
    return true;
}

void H2Line::write_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                         std::string_view payload) {
    auto head = four_bytes(static_cast<std::uint32_t>(payload.size())).substr(1);
    head.push_back(static_cast<char>(type));
    head.push_back(static_cast<char>(flags));
    head += four_bytes(stream);
    line_.write(head.append(payload));
}

std::optional<H2Frame> H2Line::read_frame() {
    const auto head = line_.read(head_bytes);
    if (!head) return std::nullopt;
    H2Frame frame;
    frame.type = static_cast<std::uint8_t>((*head)[3]);
    frame.flags = static_cast<std::uint8_t>((*head)[4]);
    frame.stream = number(head->substr(5));
    auto payload = line_.read(number(head->substr(0, 3)));
    if (!payload) return std::nullopt;
    frame.payload = std::move(*payload);
    const bool is_ack = (frame.flags & NGHTTP2_FLAG_ACK) != 0;
    if (frame.type == NGHTTP2_HEADERS) on_headers(frame);
    if (frame.type == NGHTTP2_DATA) on_data(frame);
    if (frame.type == NGHTTP2_SETTINGS && !is_ack) on_settings(frame);
    if (frame.type == NGHTTP2_PING && !is_ack) {
        write_frame(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, frame.payload);
    }
    if (frame.type == NGHTTP2_RST_STREAM) {
        resets_[frame.stream] = number(frame.payload);
        unanswered_.erase(frame.stream);
    }
    if (frame.type == NGHTTP2_WINDOW_UPDATE) {
        auto& window = frame.stream == 0 ? connection_window_ : windows_[frame.stream];
        window += number(frame.payload);
    }
    return frame;
}

void H2Line::on_settings(const H2Frame& frame) {
    constexpr std::size_t entry_bytes = 6;
    for (std::size_t at = 0; at + entry_bytes <= frame.payload.size(); at += entry_bytes) {
        if (number(frame.payload.substr(at, 2)) == NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE) {
            initial_window_ = number(frame.payload.substr(at + 2, 4));
        }
    }
    write_frame(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, {});
}

void H2Line::on_headers(const H2Frame& frame) {
    auto& request = begun_[frame.stream];
    request.stream = frame.stream;
    unanswered_[frame.stream] = true;
    most_open_ = std::max(most_open_, unanswered_.size());
    auto block = frame.payload;
    if ((frame.flags & NGHTTP2_FLAG_PRIORITY) != 0) block.erase(0, 5);
    auto* in = reinterpret_cast<std::uint8_t*>(block.data());
    auto left = block.size();
    while (true) {
        nghttp2_nv field{};
        int flags = 0;
        const auto used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, in, left, 1);
        if (used < 0) throw std::runtime_error{"no header block"};
        in += used;
        left -= static_cast<std::size_t>(used);
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
            request.headers[{reinterpret_cast<char*>(field.name), field.namelen}] = {
                reinterpret_cast<char*>(field.value), field.valuelen};
        }
        if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    if ((frame.flags & NGHTTP2_FLAG_END_STREAM) != 0) end(frame.stream);
}

void H2Line::on_data(const H2Frame& frame) {
    begun_[frame.stream].body += frame.payload;
    if (opens_windows_ && !frame.payload.empty()) {
        const auto used = four_bytes(static_cast<std::uint32_t>(frame.payload.size()));
        write_frame(NGHTTP2_WINDOW_UPDATE, 0, 0, used);
        write_frame(NGHTTP2_WINDOW_UPDATE, 0, frame.stream, used);
    }
    if ((frame.flags & NGHTTP2_FLAG_END_STREAM) != 0) end(frame.stream);
}

void H2Line::end(std::uint32_t stream) {
    whole_.push_back(std::move(begun_[stream]));
    begun_.erase(stream);
}

std::optional<H2Request> H2Line::read_request() {
    while (whole_.empty()) {
        if (!read_frame()) return std::nullopt;
    }
    auto request = std::move(whole_.front());
    whole_.pop_front();
    return request;
}

bool H2Line::wait_for_reader() {
    write_frame(NGHTTP2_PING, 0, 0, "all read");
    while (const auto frame = read_frame()) {
        if (frame->type == NGHTTP2_PING && frame->payload == "all read") return true;
    }
    return false;
}

void H2Line::wait_for_close() {
    while (read_frame()) {
    }
}

void H2Line::write_headers(std::uint32_t stream, int status, const Fields& fields, bool ends) {
    Fields all{{":status", std::to_string(status)}};
    all.insert(all.end(), fields.begin(), fields.end());
    write_frame(
        NGHTTP2_HEADERS,
        static_cast<std::uint8_t>(NGHTTP2_FLAG_END_HEADERS | (ends ? NGHTTP2_FLAG_END_STREAM : 0)),
        stream, header_block(all));
    if (ends) unanswered_.erase(stream);
}

bool H2Line::write_body(std::uint32_t stream, std::string_view body, bool ends) {
    do {
        const auto room = std::min(connection_window_, initial_window_ + windows_[stream]);
        if (room <= 0 && !body.empty()) {
            if (!read_frame() || resets_.contains(stream)) return false;
            continue;
        }
        const auto part = body.substr(
            0,
            std::min(static_cast<std::size_t>(std::max<std::int64_t>(room, 0)), frame_bytes_max));
        body.remove_prefix(part.size());
        const auto size = static_cast<std::int64_t>(part.size());
        connection_window_ -= size;
        windows_[stream] -= size;
        const bool last = body.empty() && ends;
        write_frame(NGHTTP2_DATA, last ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE, stream, part);
    } while (!body.empty());
    if (ends) unanswered_.erase(stream);
    return true;
}

void H2Line::answer(std::uint32_t stream, int status, std::string_view body, const Fields& fields) {
    write_headers(stream, status, fields, body.empty());
    if (!body.empty()) write_body(stream, body, true);
}

void H2Line::reset(std::uint32_t stream, std::uint32_t code) {
    write_frame(NGHTTP2_RST_STREAM, 0, stream, four_bytes(code));
    unanswered_.erase(stream);
}

void H2Line::go_away(std::uint32_t last_stream, std::uint32_t code) {
    write_frame(NGHTTP2_GOAWAY, 0, 0, four_bytes(last_stream) + four_bytes(code));
}

std::optional<std::uint32_t> H2Line::reset_of(std::uint32_t stream) const {
    const auto found = resets_.find(stream);
    return found == resets_.end() ? std::nullopt : std::optional{found->second};
}

}  // namespace fanfare::test
