#include "producer/unsubscribe/page.hpp"

#include "core/crypto/digest.hpp"

#include <fmt/format.h>

namespace fanfare {
namespace {

constexpr std::string_view style{
    "body{font:1.125rem/1.5 system-ui,sans-serif;margin:0;color:#1a1a1a;background:#fff}"
    "main{max-width:32rem;margin:15vh auto 0;padding:0 1.25rem}"
    "h1{font-size:1.5rem;line-height:1.25}"
    "button{font:inherit;padding:.75rem 1.5rem;border:0;border-radius:.5rem;"
    "background:#0b57d0;color:#fff;cursor:pointer}"
    "button:focus-visible{outline:3px solid #1a1a1a;outline-offset:3px}"
    "@media(prefers-color-scheme:dark){body{color:#f1f1f1;background:#161616}"
    "button{background:#a8c7fa;color:#062e6f}button:focus-visible{outline-color:#f1f1f1}}"};

HttpReply page(int status, std::string_view title, std::string_view content) {
    static const auto policy = fmt::format(
        "default-src 'none'; style-src 'sha256-{}'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'",
        base64(compute_digest(Digest::sha256, style)));
    HttpReply reply;
    reply.status = status;
    reply.content_type = "text/html; charset=utf-8";
    reply.headers = {{"Content-Security-Policy", policy},
                     {"Cache-Control", "no-store"},
                     {"Referrer-Policy", "no-referrer"},
                     {"X-Frame-Options", "DENY"},
                     {"X-Robots-Tag", "noindex"}};
    reply.body = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<main>\n<h1>{0}</h1>\n{2}\n"
        "</main>\n</body>\n</html>\n",
        title, style, content);
    return reply;
}

}  // namespace

HttpReply ask_page() {
    return page(200, "Unsubscribe from these e-mails?",
                "<form method=\"post\">\n"
                "<input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\n"
                "<p>You will get no more e-mails of this list.</p>\n"
                "<button type=\"submit\">Unsubscribe</button>\n</form>");
}

HttpReply done_page() {
    return page(200, "You are unsubscribed",
                "<p role=\"status\">You will get no more e-mails of this list. "
                "One that is already on its way may still arrive.</p>");
}

HttpReply unknown_page() {
    return page(404, "This link does not work",
                "<p>Please use the link as it stands in the e-mail.</p>");
}

HttpReply unavailable_page() {
    auto reply =
        page(503, "This did not work yet",
             "<p role=\"alert\">You are still subscribed. Please try again in a minute.</p>");
    reply.headers.emplace_back("Retry-After", "60");
    return reply;
}

HttpReply too_many_page() {
    auto reply =
        page(429, "Too many at once", "<p role=\"alert\">Please try again in a minute.</p>");
    reply.headers.emplace_back("Retry-After", "1");
    return reply;
}

}  // namespace fanfare
