#include "core/systems/query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace fanfare {
namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_identifier(char c) { return is_letter(c) || is_digit(c) || c == '$'; }
bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

std::string_view find_type(std::string_view parameter) {
    if (parameter == "recipients" || parameter == "addresses") return "text[]";
    if (parameter == "horizon") return "timestamptz";
    return "text";
}

/// One pass over the text of a query, by PostgreSQL's lexical rules with
/// standard_conforming_strings on.
class QueryLexer {
public:
    explicit QueryLexer(std::string_view text) : text_{text} {}

    std::variant<BoundQuery, QueryFault> run() {
        while (!fault_ && at_ < text_.size()) step();
        if (!fault_ && first_word_.empty()) {
            refuse(0, "(no statement)", "a statement that begins with SELECT or WITH");
        }
        if (fault_) return *fault_;
        while (!query_.sql.empty() && is_space(query_.sql.back())) query_.sql.pop_back();
        return query_;
    }

private:
    void step() {
        const char c = text_[at_];
        if (c == '\0') return refuse(at_, "(a NUL byte)", "text without NUL bytes");
        if (is_space(c)) return copy(1);
        if (starts("--")) return skip_line_comment();
        if (starts("/*")) return skip_block_comment();
        if (ended_) return refuse(at_, "; before the end", "a single statement");
        if (c == ';') return end_statement();
        if (c == '\'') return copy_quoted('\'', escapes_);
        if (c == '"') return copy_quoted('"', false);
        if (c == '$') return copy_dollar();
        if (is_letter(c)) return copy_word();
        if (starts("::")) return copy(2);
        if (c == ':' && at_ + 1 < text_.size() && is_letter(text_[at_ + 1])) return bind();
        if (is_digit(c)) return copy_run(is_identifier);
        copy(1);
    }

    [[nodiscard]] bool starts(std::string_view word) const {
        return text_.substr(at_).starts_with(word);
    }

    void refuse(std::size_t where, std::string found, std::string expected) {
        const auto before = text_.substr(0, where);
        fault_ = QueryFault{static_cast<int>(std::count(before.begin(), before.end(), '\n')),
                            std::move(found), std::move(expected)};
    }

    void copy(std::size_t count) {
        query_.sql += text_.substr(at_, count);
        at_ += count;
        escapes_ = false;
        require_first_word();
    }

    template <class Predicate>
    std::string_view take_while(std::size_t from, Predicate belongs) const {
        auto end = from;
        while (end < text_.size() && belongs(text_[end])) ++end;
        return text_.substr(from, end - from);
    }

    template <class Predicate>
    void copy_run(Predicate belongs) {
        copy(take_while(at_, belongs).size());
    }

    // Whatever is neither space nor comment must come after SELECT or WITH.
    void require_first_word() {
        if (!first_word_.empty() || fault_) return;
        const bool only_space = std::all_of(query_.sql.begin(), query_.sql.end(), is_space);
        if (only_space) return;
        refuse(at_ - 1, "another beginning", "a statement that begins with SELECT or WITH");
    }

    void copy_word() {
        const auto word = take_while(at_, is_identifier);
        if (first_word_.empty()) {
            first_word_ = word;
            for (auto& c : first_word_) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
            if (first_word_ != "select" && first_word_ != "with") {
                return refuse(at_, std::string{word.substr(0, 40)},
                              "a statement that begins with SELECT or WITH");
            }
        }
        copy(word.size());
        // E'...' directly after the word is a string with backslash escapes.
        escapes_ = word == "e" || word == "E";
    }

    void copy_quoted(char quote, bool escapes) {
        auto end = at_ + 1;
        while (end < text_.size()) {
            if (text_[end] == '\0') return refuse(end, "(a NUL byte)", "text without NUL bytes");
            if (escapes && text_[end] == '\\') {
                end += 2;
            } else if (text_[end] != quote) {
                ++end;
            } else if (end + 1 < text_.size() && text_[end + 1] == quote) {
                end += 2;
            } else {
                return copy(end + 1 - at_);
            }
        }
        refuse(at_, fmt::format("{} without its end", quote), "a closed quote");
    }

    void copy_dollar() {
        const auto tag = take_while(at_ + 1, [](char c) { return is_letter(c) || is_digit(c); });
        if (!tag.empty() && is_digit(tag[0])) {
            return refuse(at_, fmt::format("${}", tag.substr(0, 40)),
                          "a named parameter such as :user_id; numbers are given by Fanfare");
        }
        const auto opening = text_.substr(at_, tag.size() + 2);
        if (!opening.ends_with('$') || opening.size() < tag.size() + 2) {
            return refuse(at_, "a lone $", "a named parameter or a dollar quote");
        }
        const auto closing = text_.find(opening, at_ + opening.size());
        if (closing == std::string_view::npos) {
            return refuse(at_, fmt::format("{} without its end", opening.substr(0, 40)),
                          "a closed quote");
        }
        const auto length = closing + opening.size() - at_;
        if (text_.substr(at_, length).find('\0') != std::string_view::npos) {
            return refuse(at_, "(a NUL byte)", "text without NUL bytes");
        }
        copy(length);
    }

    void skip_line_comment() {
        at_ = std::min(text_.find('\n', at_), text_.size());
        escapes_ = false;
    }

    void skip_block_comment() {
        const auto opened_at = at_;
        std::size_t depth = 0;
        query_.sql += ' ';
        do {
            if (at_ >= text_.size()) {
                return refuse(opened_at, "/* without its end", "a closed comment");
            }
            const bool opens = starts("/*");
            const bool closes = !opens && starts("*/");
            if (opens) ++depth;
            if (closes) --depth;
            if (text_[at_] == '\n') query_.sql += '\n';
            at_ += opens || closes ? 2 : 1;
        } while (depth > 0);
        escapes_ = false;
    }

    void end_statement() {
        if (first_word_.empty()) {
            return refuse(at_, ";", "a statement that begins with SELECT or WITH");
        }
        ended_ = true;
        ++at_;
    }

    void bind() {
        const auto name = take_while(at_ + 1, [](char c) { return is_letter(c) || is_digit(c); });
        const auto plain = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
        if (name.size() > 100 || !std::all_of(name.begin(), name.end(), plain)) {
            return refuse(at_, fmt::format(":{}", name.substr(0, 40)),
                          "a parameter of at most 100 letters, digits and _");
        }
        const auto end = at_ + 1 + name.size();
        if (end < text_.size() && text_[end] == '[') {
            // "$1::text[1]" would be a cast to an array.
            return refuse(at_, fmt::format(":{}[", name), fmt::format("(:{})[...]", name));
        }
        auto& names = query_.parameters;
        const auto known = std::find(names.begin(), names.end(), name);
        const auto number = known - names.begin() + 1;
        if (known == names.end()) names.emplace_back(name);
        // "a:b" must not become the one identifier "a$1".
        if (!query_.sql.empty() && is_identifier(query_.sql.back())) query_.sql += ' ';
        query_.sql += fmt::format("${}::{}", number, find_type(name));
        at_ = end;
        escapes_ = false;
        require_first_word();
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string first_word_;
    bool escapes_ = false;  // The word just copied was E.
    bool ended_ = false;
    BoundQuery query_;
    std::optional<QueryFault> fault_;
};

}  // namespace

std::variant<BoundQuery, QueryFault> bind_parameters(std::string_view text) {
    return QueryLexer{text}.run();
}

}  // namespace fanfare
