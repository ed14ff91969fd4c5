#pragma once

#include "producer/http/exchange.hpp"

namespace fanfare {

/// The pages of an unsubscribe link: small, without script, cookie or picture; readable by
/// screen readers and on telephones; never cached, framed or told to others by a Referer.
[[nodiscard]] HttpReply ask_page();          // A button that unsubscribes.
[[nodiscard]] HttpReply done_page();         // 200: it is stored.
[[nodiscard]] HttpReply unknown_page();      // 404: no link of ours, without a word why.
[[nodiscard]] HttpReply unavailable_page();  // 503: try again.
[[nodiscard]] HttpReply too_many_page();     // 429: too many requests.

}  // namespace fanfare
