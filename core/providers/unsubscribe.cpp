#include "core/providers/unsubscribe.hpp"

#include "core/providers/bytes.hpp"

#include <algorithm>

namespace fanfare {
namespace {

constexpr std::size_t link_bytes_max = 900;  // SES: 996 with the header's name.

}  // namespace

UnsubscribeLinks::UnsubscribeLinks(const Content& content, const SendReference& reference)
    : prefix_{reference.unsubscribe_prefix} {
    const auto& names = content.variables;
    const auto found = std::find(names.begin(), names.end(), unsubscribe_variable);
    if (found != names.end()) variable_ = static_cast<std::size_t>(found - names.begin());
}

std::string_view UnsubscribeLinks::of(const Message& message) {
    if (!any()) return {};
    if (variable_) {
        link_.assign(message.values[*variable_]);
    } else {
        link_.assign(prefix_).append(message.ref);
        if (!message.seal.empty()) link_.append(seal_lead).append(message.seal);
    }
    return is_link(link_) ? std::string_view{link_} : std::string_view{};
}

bool UnsubscribeLinks::all(std::span<const Message> messages) {
    // Our own are made of one alphabet: one stands for all.
    if (any() && !variable_) messages = messages.first(1);
    return any() && std::all_of(messages.begin(), messages.end(),
                                [this](const Message& message) { return !of(message).empty(); });
}

bool is_link(std::string_view link) noexcept {
    constexpr std::string_view scheme{"https://"};
    if (link.size() > link_bytes_max || !link.starts_with(scheme)) return false;
    const auto authority =
        link.substr(scheme.size(), link.find_first_of("/?#", scheme.size()) - scheme.size());
    const bool has_host = !authority.empty() && authority.find('@') == std::string_view::npos &&
                          authority.front() != ':';
    for (std::size_t i = 0; i < link.size(); ++i) {
        const char c = link[i];
        const bool is_word = (bytes::char_flags(c) & bytes::word) != 0;
        const bool is_sign =
            std::string_view{"~:/?#[]@!$&'()*+,;="}.find(c) != std::string_view::npos;
        const bool is_encoded =
            c == '%' && i + 2 < link.size() &&
            (bytes::char_flags(link[i + 1]) & bytes::char_flags(link[i + 2]) & bytes::hex) != 0;
        if (!is_word && !is_sign && !is_encoded) return false;
    }
    return has_host;
}

}  // namespace fanfare
