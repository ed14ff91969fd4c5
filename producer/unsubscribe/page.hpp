#pragma once

#include "producer/http/exchange.hpp"

namespace fanfare {

/// The pages of an unsubscribe link: small, without script, cookie or picture; readable by
/// screen readers and on telephones; never cached, framed or told to others by a Referer.
[[nodiscard]] HttpReply ask_page();          // A button that unsubscribes.
[[nodiscard]] HttpReply done_page();         // 200: it is stored.
[[nodiscard]] HttpReply unknown_page();      // 404: no link of ours, without a word why.
[[nodiscard]] HttpReply unavailable_page();  // 503: try again.
[[nodiscard]] HttpReply unclear_page();      // 400: a POST that asks for nothing.

/// True for the body of RFC 8058, "List-Unsubscribe=One-Click", as a form of either encoding.
[[nodiscard]] bool asks_one_click(const HttpCall& call);

}  // namespace fanfare
