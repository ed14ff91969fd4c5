#pragma once

#include "core/http/exchange.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace fanfare {

/// Reads the answers of one HTTP/1.1 connection, one after the other, by Boost.Beast's parser and
/// without I/O.
///
/// Interim answers (1xx) are passed over; a final one below 200, and 101, which nobody asked for,
/// is none.
///
/// Bounds    an answer has answer_bytes_max of body and 64 KiB of headers; its chunks' lines as
/// much. Threads   one.
class H1Reader {
public:
    enum class State { more, whole, broken };

    H1Reader();
    ~H1Reader();
    H1Reader(const H1Reader&) = delete;
    H1Reader& operator=(const H1Reader&) = delete;

    /// The next answer is read into `answer`, which outlives its reading.
    void begin(HttpAnswer& answer);
    /// What the server sent, as much of it as the answer needs. Only while an answer is read.
    [[nodiscard]] State read(std::string_view bytes);
    /// The server has ended the connection. Only while an answer is read.
    [[nodiscard]] State end();

    /// Of an answer that is whole: the connection serves another one.
    [[nodiscard]] bool may_go_on() const;
    /// Why it is broken, in words.
    [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

private:
    class Parser;
    struct Parsing;  // A place for one parser after the other.

    [[nodiscard]] State parse(std::string_view& bytes);
    [[nodiscard]] State refuse(std::string fault);

    HttpAnswer* answer_ = nullptr;
    std::unique_ptr<Parsing> parsing_;
    std::string rest_;     // Bytes that the parser wants to see again, with what follows.
    bool spoilt_ = false;  // There are bytes behind the answer.
    std::string fault_;
};

}  // namespace fanfare
