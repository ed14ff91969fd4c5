#include "producer/http/reply_writer.hpp"

#include "core/http/exchange.hpp"
#include "producer/http/text.hpp"

#include <fmt/format.h>

namespace fanfare {

std::string encode_head(const HttpReply& reply, const ReplyForm& form, TimePoint now) {
    auto head = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\nX-Content-Type-Options: nosniff\r\n",
                            reply.status, reason_phrase(reply.status), http_date(now));
    if (!reply.pieces) {
        head.append(fmt::format("Content-Length: {}\r\n", reply.body.size()));
    } else if (form.chunked) {
        head.append("Transfer-Encoding: chunked\r\n");
    }
    if (!reply.content_type.empty()) {
        head.append(header_line("Content-Type", reply.content_type)).append("\r\n");
    }
    for (const auto& [name, value] : reply.headers) {
        head.append(header_line(name, value)).append("\r\n");
    }
    if (!form.keep) head.append("Connection: close\r\n");
    return head.append("\r\n");
}

}  // namespace fanfare
