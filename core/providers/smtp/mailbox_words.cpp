#include "core/providers/smtp/mailbox_words.hpp"

#include <algorithm>
#include <span>

namespace fanfare::smtp {
namespace {

using Words = std::span<const std::string>;

/// True where `phrases` ("user|mailbox") has one that `words` begin with; its length in words.
std::size_t begins_with(Words words, std::string_view phrases) {
    std::size_t longest = 0;
    while (!phrases.empty()) {
        const auto end = std::min(phrases.find('|'), phrases.size());
        auto phrase = phrases.substr(0, end);
        std::size_t count = 0;
        while (!phrase.empty() && count < words.size()) {
            const auto blank = std::min(phrase.find(' '), phrase.size());
            if (words[count] != phrase.substr(0, blank)) break;
            ++count;
            phrase.remove_prefix(std::min(blank + 1, phrase.size()));
        }
        if (phrase.empty()) longest = std::max(longest, count);
        phrases.remove_prefix(std::min(end + 1, phrases.size()));
    }
    return longest;
}

/// Said of nothing but a recipient, by themselves.
constexpr std::string_view whole_phrases =
    "not our customer|user not local|user doesnt have|user does not have|illegal alias|"
    "unrouteable address|unroutable address|no mailbox here|no mailbox by that name|"
    "no user by that name|no one by that name|unknown local part|no such local part";

constexpr std::string_view surely_people =
    "user|recipient|recipients|mailbox|addressee|alias|local part|inbox|%other";
constexpr std::string_view perhaps_people = "account|address|email|e mail|mail|person|domain";

/// Behind whom they speak of: "user unknown".
constexpr std::string_view gone_behind =
    "unknown|is unknown|not known|is not known|does not exist|doesnt exist|do not exist|"
    "dont exist|not exist|no longer exists|not found|is not found|was not found|"
    "could not be found|cannot be found|invalid|is invalid|not valid|is not valid|"
    "no longer valid|is no longer valid|no longer in use|is no longer in use|"
    "no longer on server|is no longer on server|nonexistent|is nonexistent|non existent";
constexpr std::string_view asleep_behind =
    "disabled|is disabled|has been disabled|was disabled|inactive|is inactive|not active|"
    "is not active|no longer active|is no longer active|deactivated|is deactivated|"
    "has been deactivated|closed|is closed|has been closed|terminated|has been terminated";

/// Before them: "no such user".
constexpr std::string_view gone_before =
    "no such|unknown|invalid|not a valid|not a known|nonexistent|non existent";
constexpr std::string_view between_before = "local|email|e mail|smtp|final|virtual";

/// What stands between: "the account that you tried to reach does not exist".
constexpr std::string_view between_behind =
    "that|which|you|tried|trying|are|were|have|to|reach|contact|is|was|the|this|for|of|in|"
    "specified|requested|given|entered|%other";

/// "Invalid user name" speaks of nobody, nor does "user policy".
constexpr std::string_view spoils_behind =
    "name|names|id|agent|policy|database|password|quota|limit|server|header|type|book|format";

constexpr std::string_view spoils_state =
    "error|errors|reason|command|response|problem|failure|fault|exception|status|message|"
    "argument|parameter|syntax|option|code|request";

MailboxWords people_at(Words words, std::size_t at) {
    if (begins_with(words.subspan(at), surely_people) != 0) return MailboxWords::strong;
    if (begins_with(words.subspan(at), perhaps_people) == 0) return MailboxWords::none;
    return at > 0 && begins_with(words.subspan(at - 1), "recipient|destination") != 0
               ? MailboxWords::strong
               : MailboxWords::weak;
}

/// Of whom the state that begins at `at` is said.
MailboxWords people_before(Words words, std::size_t at) {
    constexpr std::size_t reach = 9;
    const auto stop = at > reach ? at - reach : 0;
    while (at-- > stop) {
        if (const auto people = people_at(words, at); people != MailboxWords::none) return people;
        if (begins_with(words.subspan(at), between_behind) == 0) break;
    }
    return MailboxWords::none;
}

/// "<bob@example.com>: unknown error" says nothing of Bob.
bool is_said_of_else(Words words, std::size_t at, std::size_t length) {
    const auto rest = words.subspan(at + length);
    if (length == 1 && at > 0 && words[at - 1] == ReplyText::other && !rest.empty()) return true;
    return begins_with(rest, spoils_state) != 0;
}

/// Whom the words from `at` on name: "user", "local user", "email address".
MailboxWords people_behind(Words words, std::size_t at) {
    auto rest = words.subspan(at);
    for (auto skip = begins_with(rest, between_before); skip != 0;
         skip = begins_with(rest, between_before)) {
        const bool is_last = skip == rest.size() || people_at(rest, skip) == MailboxWords::none;
        if (is_last) break;
        rest = rest.subspan(skip);
    }
    if (rest.empty()) return MailboxWords::none;
    const auto found = people_at(rest, 0);
    const auto length = std::max(begins_with(rest, surely_people),  //
                                 begins_with(rest, perhaps_people));
    const bool is_spoilt = begins_with(rest.subspan(length), spoils_behind) != 0;
    return is_spoilt ? MailboxWords::none : found;
}

}  // namespace

MailboxWords mailbox_words(const ReplyText& text) {
    if (text.has_any(whole_phrases)) return MailboxWords::strong;
    const Words words{text.words()};
    auto found = MailboxWords::none;
    for (std::size_t at = 0; at < words.size() && found != MailboxWords::strong; ++at) {
        const auto rest = words.subspan(at);
        const auto gone = begins_with(rest, gone_behind);
        const auto asleep = begins_with(rest, asleep_behind);
        if (gone != 0 && !is_said_of_else(words, at, gone)) {
            found = std::max(found, people_before(words, at));
        }
        if (asleep != 0 && !is_said_of_else(words, at, asleep)) {
            const bool is_mailbox = at > 0 && begins_with(words.subspan(at - 1), "mailbox") != 0;
            const auto people = people_before(words, at);
            const auto most = is_mailbox ? MailboxWords::strong : MailboxWords::weak;
            found = std::max(found, std::min(people, most));
        }
        if (const auto length = begins_with(rest, gone_before); length != 0) {
            found = std::max(found, people_behind(words, at + length));
        }
    }
    return found;
}

}  // namespace fanfare::smtp
