#include "producer/http/exchange.hpp"

#include "producer/http/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace fanfare {

std::string_view HttpCall::header(std::string_view name) const noexcept {
    for (const auto& [each, value] : headers) {
        if (same_word(each, name)) return value;
    }
    return {};
}

bool HttpCall::has_header(std::string_view name) const noexcept {
    return std::any_of(headers.begin(), headers.end(),
                       [name](const auto& each) { return same_word(each.first, name); });
}

std::string_view HttpCall::param(std::string_view name) const noexcept {
    for (const auto& [each, value] : params) {
        if (each == name) return value;
    }
    return {};
}

std::string HttpCall::media_type() const {
    auto type = header("content-type");
    type = trimmed(type.substr(0, type.find(';')));
    return lower(type);
}

HttpReply problem(int status, std::string_view code, std::string_view detail) {
    const auto title = reason_phrase(status);
    const boost::json::object document{
        {"type", "about:blank"},
        {"title", boost::json::string_view{title.data(), title.size()}},
        {"status", status},
        {"code", boost::json::string_view{code.data(), code.size()}},
        {"detail", boost::json::string_view{detail.data(), detail.size()}}};
    HttpReply reply;
    reply.status = status;
    reply.content_type = "application/problem+json";
    reply.body = boost::json::serialize(document);
    return reply;
}

}  // namespace fanfare
