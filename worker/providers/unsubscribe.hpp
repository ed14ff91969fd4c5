#pragma once

#include "worker/providers/provider.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace fanfare {

/// The links of RFC 8058 of one batch, for providers that take headers person by person.
///
/// Lifetime  content and reference outlive it.
/// Threads   one.
class UnsubscribeLinks {
public:
    UnsubscribeLinks(const Content& content, const SendReference& reference);

    /// False where nobody of the batch has a link.
    [[nodiscard]] bool any() const noexcept { return variable_ || !prefix_.empty(); }

    /// One person's link: the value of `unsubscribe_url`, else prefix and Message::ref. ""
    /// where it could not stand in a header (see is_link()). Valid until the next call.
    [[nodiscard]] std::string_view of(const Message& message);

private:
    std::string_view prefix_;
    std::optional<std::size_t> variable_;
    std::string link_;
};

/// True for 1 to 900 visible ASCII bytes without '<' and '>': a vendor refuses all others,
/// and perhaps the whole call with them.
[[nodiscard]] bool is_link(std::string_view link) noexcept;

inline constexpr std::string_view one_click = "List-Unsubscribe=One-Click";

}  // namespace fanfare
