#include "worker/providers/unsubscribe.hpp"

#include <algorithm>

namespace fanfare {
namespace {

constexpr std::string_view unsubscribe_variable = "unsubscribe_url";
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
    }
    return is_link(link_) ? std::string_view{link_} : std::string_view{};
}

bool is_link(std::string_view link) noexcept {
    return !link.empty() && link.size() <= link_bytes_max &&
           std::all_of(link.begin(), link.end(),
                       [](char c) { return c > ' ' && c < '\x7f' && c != '<' && c != '>'; });
}

}  // namespace fanfare
