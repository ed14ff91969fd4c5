#include "core/audience/channels.hpp"

#include "core/wire/job_rejection.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare {
namespace {

bool contains(const std::vector<Channel>& channels, Channel channel) {
    return std::find(channels.begin(), channels.end(), channel) != channels.end();
}

}  // namespace

std::optional<Channel> turns_to(const Job& job, const Kind& kind, Channel from) {
    const auto to = kind.fallback[static_cast<std::size_t>(from)];
    if (!to || contains(job.channels, *to)) return std::nullopt;
    return to;
}

std::vector<Channel> channels_used(const Job& job, const Kind& kind) {
    auto used = job.channels;
    for (const auto channel : job.channels) {
        const auto to = turns_to(job, kind, channel);
        if (to && !contains(used, *to)) used.push_back(*to);
    }
    return used;
}

std::optional<Rejection> check_channels(const Job& job, const Kind& kind,
                                        const std::function<bool(Channel)>& has_templates) {
    for (const auto channel : channels_used(job, kind)) {
        if (has_templates(channel)) continue;
        const bool is_own = contains(job.channels, channel);
        return reject(
            "unknown_template", "/channels",
            fmt::format("the kind {} has no {} templates (templates/{}/){}; add them or "
                        "leave the channel out",
                        kind.name, to_string(channel), kind.templates,
                        is_own ? "" : ", where it turns to for whom another cannot reach"));
    }
    return std::nullopt;
}

}  // namespace fanfare
