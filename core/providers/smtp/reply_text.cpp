#include "core/providers/smtp/reply_text.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace fanfare::smtp {
namespace {

constexpr auto npos = std::string_view::npos;

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Letters beyond ASCII too, byte by byte.
constexpr bool is_letter(char c) noexcept {
    return (lower(c) >= 'a' && lower(c) <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

constexpr bool is_word(char c) noexcept { return is_digit(c) || is_letter(c); }

bool same(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

bool begins(std::string_view text, std::string_view with) noexcept {
    return text.size() >= with.size() && same(text.substr(0, with.size()), with);
}

std::string_view trim(std::string_view token) noexcept {
    while (!token.empty() && !is_word(token.front()) && token.front() != '@') {
        token.remove_prefix(1);
    }
    while (!token.empty() && !is_word(token.back())) token.remove_suffix(1);
    return token;
}

/// "5.1.1" at the beginning of `text`, of class `category`.
Enhanced read_code(std::string_view text, int category) noexcept {
    Enhanced code;
    const char* at = text.data();
    const char* const end = at + text.size();
    for (int* const field : {&code.category, &code.subject, &code.detail}) {
        const auto [stop, fault] = std::from_chars(at, end, *field);
        if (fault != std::errc{} || *field < 0 || *field > 999) return {};
        at = stop;
        if (field != &code.detail && (at == end || *at++ != '.')) return {};
    }
    const bool is_whole = at == end || !(is_digit(*at) || is_letter(*at) || *at == '.');
    return is_whole && code.category == category ? code : Enhanced{};
}

/// A code alone, of any class that refuses; subjects are 0 to 7.
Enhanced whole_code(std::string_view token) noexcept {
    if (token.find_first_not_of("0123456789.") != npos) return {};
    const auto passing = read_code(token, 4);
    const auto code = passing.category != 0 ? passing : read_code(token, 5);
    return code.subject <= 7 ? code : Enhanced{};
}

/// A local part of ours that is an everyday word of replies ("user@...") tells nothing.
bool is_telling(std::string_view name) {
    constexpr std::string_view everyday =
        " account accounts address admin contact domain email help host info local mail mailbox "
        "mailer message messages no not postmaster recipient reply sender server service support "
        "system team unknown user users web ";
    std::string word{" "};
    for (const char c : name) word.push_back(lower(c));
    word.push_back(' ');
    return name.size() > 1 && everyday.find(word) == npos;
}

}  // namespace

Enhanced read_enhanced(std::string_view text, int status) noexcept {
    auto code = read_code(text, status / 100);
    for (auto mark = text.find('#'); code.category == 0 && mark != npos;
         mark = text.find('#', mark + 1)) {
        code = read_code(text.substr(mark + 1), status / 100);
    }
    return code;
}

ReplyText::ReplyText(std::string_view text, const OurNames& ours) : ours_{ours} {
    const auto sign = ours.sender.rfind('@');
    if (sign != npos) domain_ = ours.sender.substr(sign + 1);
    constexpr std::string_view gaps{" \t\r\n\0<>()[]{},;|", 16};
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of(gaps), text.size());
        read(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    joined_ = " ";
    for (const auto& word : words_) joined_.append(word).push_back(' ');
}

bool ReplyText::has_any(std::string_view phrases) const {
    std::string phrase;
    while (!phrases.empty()) {
        const auto end = std::min(phrases.find('|'), phrases.size());
        phrase.assign(" ").append(phrases.substr(0, end)).push_back(' ');
        if (joined_.find(phrase) != npos) return true;
        phrases.remove_prefix(std::min(end + 1, phrases.size()));
    }
    return false;
}

void ReplyText::read(std::string_view token) {
    if (token.find("://") != npos || begins(token, "www.")) return;
    token = trim(token);
    // "550-5.7.1", as servers pass on what others said.
    if (token.size() > 4 && token[3] == '-' && is_digit(token[0]) && is_digit(token[4])) {
        token.remove_prefix(4);
    }
    if (token.empty()) return;
    if (const auto code = whole_code(token); code.category != 0) {
        codes_.push_back(code);
        return;
    }
    if (token.find('@') != npos) {
        read_address(token);
        return;
    }
    // "from=...", "mx.example:said".
    if (const auto mark = token.find_first_of("=:"); mark != npos) {
        read(token.substr(0, mark));
        read(token.substr(mark + 1));
        return;
    }
    if (is_our_host(token)) {
        names_domain_ = true;
        return;
    }
    const bool is_told =
        same(token, ours_.login) || same(token, ours_.sender.substr(0, ours_.sender.rfind('@')));
    if (is_told && is_telling(token)) names_login_ = true;
    const bool is_exchange = begins(token, "resolver.") || begins(token, "smtpsend.");
    if (token.find('.') != npos && !is_exchange) return;
    read_words(token);
}

void ReplyText::read_address(std::string_view token) {
    if (const auto mark = token.find_first_of(":="); mark != npos) {
        // "mailto:x@y", "x@y:550", "to=x@y".
        read(token.substr(0, mark));
        read(token.substr(mark + 1));
        return;
    }
    const auto sign = token.rfind('@');
    const auto domain = token.substr(sign + 1);
    if (same(token, ours_.sender) || (!ours_.login.empty() && same(token, ours_.login))) {
        names_sender_ = true;
    } else if (sign == 0) {
        names_domain_ = names_domain_ || is_our_host(domain);
    } else {
        names_other_ = true;
        names_neighbour_ = names_neighbour_ || is_our_host(domain);
        words_.emplace_back(other);
    }
}

/// "Doesn't" is one word, with either apostrophe; a hyphen parts.
void ReplyText::read_words(std::string_view token) {
    constexpr std::string_view apostrophe = "\xE2\x80\x99";
    std::string word;
    for (std::size_t at = 0; at < token.size(); ++at) {
        if (token.substr(at).starts_with(apostrophe)) {
            at += apostrophe.size() - 1;
        } else if (is_word(token[at])) {
            word.push_back(lower(token[at]));
        } else if (token[at] != '\'' && !word.empty()) {
            words_.push_back(std::exchange(word, {}));
        }
    }
    if (!word.empty()) words_.push_back(std::move(word));
}

bool ReplyText::is_our_host(std::string_view name) const {
    const bool is_domain = !domain_.empty() && same(name, domain_);
    return is_domain || (!ours_.host.empty() && same(name, ours_.host));
}

}  // namespace fanfare::smtp
