#include "core/audience/contact_plan.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>

namespace fanfare {
namespace {

namespace json = boost::json;

constexpr std::array<const char*, 4> conditions{"Index Cond", "Recheck Cond", "Filter",
                                                "Join Filter"};

std::string text_at(const json::object& node, const char* name) {
    const auto* const found = node.if_contains(name);
    return found != nullptr && found->is_string() ? std::string{found->get_string()}
                                                  : std::string{};
}

class PlanReader {
public:
    void read(const json::object& node, bool is_root) {
        const auto table = text_at(node, "Relation Name");
        for (const auto* const name : conditions) {
            const auto condition = text_at(node, name);
            if (condition.empty()) continue;
            texts_.push_back(condition);
            if (table.empty() || access_ || condition.find("$1") == std::string::npos) continue;
            access_ = ContactAccess{text_at(node, "Node Type"),
                                    text_at(node, "Schema"),
                                    table,
                                    text_at(node, "Alias"),
                                    condition,
                                    {}};
        }
        // What a scan below others hands on may be its whole row; what these say counts.
        if (is_root || table.empty()) read_texts(node);
        const auto* const below = node.if_contains("Plans");
        if (below == nullptr || !below->is_array()) return;
        const bool is_passed_on = is_root && text_at(node, "Node Type") == "Limit";
        for (const auto& plan : below->get_array()) {
            if (plan.is_object()) read(plan.get_object(), is_passed_on);
        }
    }

    std::optional<ContactAccess> take() {
        if (access_) access_->texts = std::move(texts_);
        return std::move(access_);
    }

private:
    void read_texts(const json::object& node) {
        for (const auto* const name : {"Output", "Sort Key", "Group Key"}) {
            const auto* const list = node.if_contains(name);
            if (list == nullptr || !list->is_array()) continue;
            for (const auto& each : list->get_array()) {
                if (each.is_string()) texts_.emplace_back(each.get_string());
            }
        }
        for (const auto* const name : {"Hash Cond", "Merge Cond"}) {
            if (auto text = text_at(node, name); !text.empty()) texts_.push_back(std::move(text));
        }
    }

    std::optional<ContactAccess> access_;
    std::vector<std::string> texts_;
};

bool is_part_of_a_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '"' || (static_cast<unsigned char>(c) & 0x80U) != 0;
}

}  // namespace

std::optional<ContactAccess> read_access(std::string_view plan) {
    json::error_code fault;
    const auto value = json::parse(plan, fault);
    const auto* const list = fault ? nullptr : value.if_array();
    if (list == nullptr || list->empty() || !list->front().is_object()) return std::nullopt;
    const auto* const root = list->front().get_object().if_contains("Plan");
    if (root == nullptr || !root->is_object()) return std::nullopt;
    PlanReader reader;
    reader.read(root->get_object(), true);
    return reader.take();
}

bool names_column(const std::vector<std::string>& texts, std::string_view alias,
                  std::string_view column) {
    const auto wanted = fmt::format("{}.{}", alias, column);
    return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
        for (auto at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) {
            const auto end = at + wanted.size();
            const bool begins = at == 0 || !is_part_of_a_name(text[at - 1]);
            if (begins && (end == text.size() || !is_part_of_a_name(text[end]))) return true;
        }
        return false;
    });
}

}  // namespace fanfare
