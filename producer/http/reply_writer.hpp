#pragma once

#include "core/clock/clock.hpp"
#include "producer/http/exchange.hpp"

#include <string>

namespace fanfare {

/// How an answer leaves.
struct ReplyForm {
    bool keep = false;      // The connection carries another request behind it.
    bool chunked = false;   // HTTP/1.1: a body in pieces; else the connection's end ends it.
    bool with_body = true;  // Not for HEAD.
};

/// Status line and fields of an answer, with the empty line.
[[nodiscard]] std::string encode_head(const HttpReply& reply, const ReplyForm& form, TimePoint now);

}  // namespace fanfare
