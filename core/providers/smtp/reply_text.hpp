#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::smtp {

/// RFC 3463: "5.1.1" at the beginning of a reply, or "#5.1.1" in it. All 0 where there is none.
struct Enhanced {
    int category = 0;
    int subject = 0;
    int detail = 0;

    [[nodiscard]] constexpr bool is(int wanted_subject, int wanted_detail) const noexcept {
        return category != 0 && subject == wanted_subject && detail == wanted_detail;
    }
};
[[nodiscard]] Enhanced read_enhanced(std::string_view text, int status) noexcept;

/// What we are called: a reply that says one of these does not speak of the recipient.
struct OurNames {
    std::string_view sender;  // The address in MAIL FROM.
    std::string_view login;   // The user at the mail server; "": none.
    std::string_view host;    // What EHLO says.
};

/// A reply as words, so that neither case, punctuation nor the ends of its lines part a phrase, and
/// no address, host or link in it reads like one: those are only told apart as ours and others'.
class ReplyText {
public:
    ReplyText(std::string_view text, const OurNames& ours);

    /// True where one of `phrases` ("user unknown|no such user") stands here.
    [[nodiscard]] bool has_any(std::string_view phrases) const;

    [[nodiscard]] const std::vector<std::string>& words() const noexcept { return words_; }
    [[nodiscard]] const std::vector<Enhanced>& codes() const noexcept { return codes_; }
    [[nodiscard]] bool names_us() const noexcept {
        return names_sender_ || (names_domain_ && !names_neighbour_) ||
               (names_login_ && !names_other_);
    }
    [[nodiscard]] bool names_other() const noexcept { return names_other_; }

    /// Stands for an address that is not ours.
    static constexpr std::string_view other = "%other";

private:
    void read(std::string_view token);
    void read_address(std::string_view token);
    void read_words(std::string_view token);
    [[nodiscard]] bool is_our_host(std::string_view name) const;

    OurNames ours_;
    std::string_view domain_;
    std::vector<std::string> words_;
    std::vector<Enhanced> codes_;
    std::string joined_;  // All words between blanks.
    bool names_sender_ = false;
    bool names_domain_ = false;     // Ours, bare.
    bool names_login_ = false;      // Or our mailbox without its domain.
    bool names_neighbour_ = false;  // Somebody else of our domain.
    bool names_other_ = false;
};

}  // namespace fanfare::smtp
