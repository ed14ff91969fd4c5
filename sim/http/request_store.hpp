#pragma once

#include "sim/http/message.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fanfare::sim {

/// Collects one request piece by piece and keeps its memory for the next one.
///
/// Bounds    refuses (returns false) what would exceed HttpBounds.
/// Threads   one at a time.
class RequestStore {
public:
    explicit RequestStore(const HttpBounds& bounds) : bounds_{&bounds} {}

    void clear();
    void set_method(std::string_view method) { method_.assign(method); }
    [[nodiscard]] bool add_target(std::string_view piece);
    [[nodiscard]] bool add_name(std::string_view piece);  // A name after a value begins a field.
    [[nodiscard]] bool add_value(std::string_view piece);
    [[nodiscard]] bool add_body(std::string_view piece);
    [[nodiscard]] bool expect_body(std::uint64_t bytes);

    /// The request as views; valid until clear().
    [[nodiscard]] const Request& finish(bool http2);
    [[nodiscard]] const Request& request() const noexcept { return request_; }

private:
    struct Piece {
        std::uint32_t name = 0, name_size = 0, value = 0, value_size = 0;
    };

    [[nodiscard]] bool room_for(std::size_t bytes) const noexcept;

    const HttpBounds* bounds_;
    std::string method_;
    std::string target_;
    std::string text_;  // All names and values.
    std::vector<Piece> pieces_;
    std::vector<Field> fields_;
    bool in_value_ = true;
    std::string body_;
    Request request_;
};

}  // namespace fanfare::sim
