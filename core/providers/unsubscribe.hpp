#pragma once

#include "core/providers/provider.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fanfare {

/// The links of RFC 8058 of one batch: who gets both headers, and who none. The one place that
/// decides it, for all providers of e-mail; "One-Click" never stands beside anything but a link
/// that a machine can post to.
///
/// Lifetime  content and reference outlive it.
/// Threads   one.
class UnsubscribeLinks {
public:
    UnsubscribeLinks(const Content& content, const SendReference& reference);

    /// False where nobody of the batch has a link.
    [[nodiscard]] bool any() const noexcept { return variable_ || !prefix_.empty(); }

    /// One person's link: the value of `unsubscribe_url`, else prefix, Message::ref and seal. ""
    /// where it is no usable one (see is_link()). Valid until the next call.
    [[nodiscard]] std::string_view of(const Message& message);

    /// For a vendor that takes the headers once for all: false unless everyone has a link. (The
    /// send stage keeps those apart who have none.)
    [[nodiscard]] bool all(std::span<const Message> messages);

    /// The variable that holds the links; nothing where they are our own.
    [[nodiscard]] std::optional<std::size_t> variable() const noexcept { return variable_; }

private:
    std::string_view prefix_;
    std::optional<std::size_t> variable_;
    std::string link_;
};

/// True for an https URL of at most 900 bytes, with a host and none but the characters of URLs: a
/// vendor refuses all others, and perhaps the whole call with them.
[[nodiscard]] bool is_link(std::string_view link) noexcept;

inline constexpr std::string_view unsubscribe_variable = "unsubscribe_url";
inline constexpr std::string_view seal_lead = "?a=";  // Between a link's reference and its seal.
inline constexpr std::string_view one_click = "List-Unsubscribe=One-Click";

}  // namespace fanfare
