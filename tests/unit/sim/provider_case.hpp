#pragma once

#include "sim/providers/provider.hpp"

#include <string>
#include <utility>
#include <vector>

namespace fanfare::sim {

/// A request that owns its text.
struct OwnedRequest {
    std::string method = "POST";
    std::string path;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::vector<Field> fields{};

    [[nodiscard]] Request view() {
        fields.clear();
        for (const auto& [name, value] : headers) fields.push_back({name, value});
        return {.method = method, .path = path, .query = {}, .headers = fields, .body = body};
    }
};

constexpr std::int64_t test_now_s = 1'767'225'600;  // 2026-01-01T00:00:00Z

/// Checks and hands back what was found; the request stays alive with its owner.
inline void check(const SimulatedProvider& provider, OwnedRequest& request, Checked& checked,
                  std::int64_t now_s = test_now_s) {
    checked.clear();
    provider.check(request.view(), {.now_s = now_s, .number = 1}, checked);
}

}  // namespace fanfare::sim
