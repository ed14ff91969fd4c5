#include "core/kafka/dead_place.hpp"

#include "core/domain/number.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare::kafka {

std::string to_text(const DeadPlace& place) {
    std::string text;
    for (const auto& [partition, offset] : place) {
        if (!text.empty()) text.push_back('.');
        text += fmt::format("{}:{}", partition, offset);
    }
    return text;
}

std::optional<DeadPlace> parse_dead_place(std::string_view text) {
    DeadPlace place;
    while (true) {
        const auto end = std::min(text.find('.'), text.size());
        const auto part = text.substr(0, end);
        const auto colon = std::min(part.find(':'), part.size());
        std::int32_t partition = -1;
        std::int64_t offset = -1;
        const bool sound = read_number(part.substr(0, colon), partition) && colon < part.size() &&
                           read_number(part.substr(colon + 1), offset);
        if (!sound || !place.try_emplace(partition, offset).second) return std::nullopt;
        if (end == text.size()) return place;
        text.remove_prefix(end + 1);
    }
}

}  // namespace fanfare::kafka
