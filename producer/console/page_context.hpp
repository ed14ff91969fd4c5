#pragma once

#include "core/clock/clock.hpp"
#include "producer/api/clients.hpp"
#include "producer/console/view.hpp"
#include "producer/http/router.hpp"
#include "producer/http/text.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace fanfare::console {

/// Somebody at one page, once.
struct Visit {
    const HttpCall& call;
    const api::Identity& who;
    std::string form_word;  // That forms of this session bring along.
    Form form;              // Of the query, or of the body of what acts.

    [[nodiscard]] std::string field(std::string_view name) const {
        return std::string{fanfare::field(form, name)};
    }
};

/// One call of the API, as anybody else would make it.
struct Ask {
    std::string method;
    std::string target;                 // Path and query, encoded.
    boost::json::value body = nullptr;  // Null: none.
    std::string key{};                  // Idempotency-Key; "": none.
};

struct Answer {
    int status = 200;
    boost::json::value document;

    [[nodiscard]] bool is_good() const noexcept { return status < 400; }
    /// The document where it is an object; else an empty one.
    [[nodiscard]] const boost::json::object& object() const;
    /// What the API says against the call, for people.
    [[nodiscard]] std::string complaint() const;
};

[[nodiscard]] Answer to_answer(const HttpReply& reply);

/// What a page says at its head about what was just done, or not done.
struct Notice {
    std::string text;
    bool is_fault = false;
    int status = 200;
};
[[nodiscard]] Notice to_notice(const Answer& answer);

struct Page {
    std::string file;   // The asset that is its content: "jobs.html".
    std::string title;  // Plain text.
    std::string place;  // Which entry of the navigation it belongs to: "jobs".
    View view;
    Notice notice{};
};

/// What every page is made with: the API's own answers, and the frame around them. The console
/// knows nothing of the ledger and decides nothing: who may see and do what, the API says.
///
/// Threads   the server's.
class PageContext {
public:
    /// `api` has the routes of the API for calls from within.
    PageContext(Router api, const Clock& clock) : api_{std::move(api)}, clock_{clock} {}

    [[nodiscard]] boost::asio::awaitable<Answer> ask(const api::Identity& who,
                                                     const Ask& question) const;
    /// A whole page for somebody who has signed in.
    [[nodiscard]] HttpReply show(const Visit& visit, Page page) const;
    [[nodiscard]] const Clock& clock() const noexcept { return clock_; }

private:
    Router api_;
    const Clock& clock_;
};

/// A page for anybody: of signing in, of what is wrong.
[[nodiscard]] HttpReply plain_page(int status, const std::string& file, const std::string& title,
                                   View view);
/// A part of a page, filled in.
[[nodiscard]] std::string rendered(std::string_view file, const View& view);
/// With the headers of everything that the console shows.
[[nodiscard]] HttpReply html_reply(int status, std::string body);
[[nodiscard]] HttpReply redirect(const std::string& to);

}  // namespace fanfare::console
