#include "core/systems/references.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare {
namespace {

// A name that stands in the file, although what it names may itself be faulty.
bool is_written(const YamlValue& root, std::string_view section, std::string_view name) {
    const auto* const map = root.find(section);
    return map != nullptr && map->find(name) != nullptr;
}

void settle_channels(Kind& kind, const YamlValue& root, int line, Report& report) {
    const auto key = join_key("kinds", kind.name);
    const auto* const written = root.find("kinds")->find(kind.name);
    if (written->find("channels") == nullptr) {
        for (const auto channel : channels) {
            if (is_written(root, "contacts", to_string(channel))) kind.channels.push_back(channel);
        }
        if (kind.channels.empty()) {
            report.missing(line, join_key(key, "channels"), "a channel with a query in contacts");
        }
        return;
    }
    for (const auto channel : kind.channels) {
        if (is_written(root, "contacts", to_string(channel))) continue;
        report.add(written->find("channels")->line, join_key(key, "channels"), to_string(channel),
                   fmt::format("a channel with a query in contacts.{}", to_string(channel)));
    }
}

// A fallback serves whom the kind's own channels do not: never somebody twice.
void check_fallback(const Kind& kind, const YamlValue& root, Report& report) {
    const auto* const written = root.find("kinds")->find(kind.name)->find("fallback");
    for (const auto from : channels) {
        const auto to = kind.fallback[static_cast<std::size_t>(from)];
        if (!to) continue;
        const auto key = fmt::format("kinds.{}.fallback.{}", kind.name, to_string(from));
        const auto serves = [&kind](Channel channel) {
            return std::find(kind.channels.begin(), kind.channels.end(), channel) !=
                   kind.channels.end();
        };
        if (!serves(from)) {
            report.add(written->line, key, to_string(*to), "a channel of the kind on the left");
        } else if (serves(*to)) {
            report.add(written->line, key, to_string(*to), "a channel that the kind does not use");
        } else if (!is_written(root, "contacts", to_string(*to))) {
            report.add(written->line, key, to_string(*to),
                       fmt::format("a channel with a query in contacts.{}", to_string(*to)));
        }
    }
    const auto& fallback = kind.fallback;
    for (std::size_t i = 0; i < channel_count; ++i) {
        for (std::size_t j = i + 1; j < channel_count; ++j) {
            if (fallback[i] && fallback[i] == fallback[j]) {
                report.add(written->line, fmt::format("kinds.{}.fallback", kind.name),
                           to_string(*fallback[i]), "each channel at most once on the right");
            }
        }
    }
}

void check_kind_name(const YamlValue& root, const YamlValue& at, const std::string& key,
                     const std::string& name, Report& report) {
    if (is_written(root, "kinds", name)) return;
    std::vector<std::string> known;
    for (const auto& each : root.find("kinds")->keys) known.push_back(each.text);
    const auto meant = nearest(name, known);
    report.add(at.line, key, name,
               meant.empty() ? "a name below kinds"
                             : fmt::format("a name below kinds; did you mean {}?", meant));
}

void check_kind_names(const Kind& kind, const YamlValue& root, Report& report) {
    const auto* const written = root.find("kinds")->find(kind.name);
    const auto key = join_key("kinds", kind.name);
    if (!kind.told.empty()) {
        check_kind_name(root, *written->find("audience"), key + ".audience.told", kind.told,
                        report);
    }
    for (const auto& other : kind.cancels) {
        const auto& list = *written->find("cancels");
        check_kind_name(root, list, key + ".cancels", other, report);
        if (other == kind.name) report.add(list.line, key + ".cancels", other, "other kinds");
    }
}

// A statement for when a job is done knows the job and what its audience was asked with.
void check_done(const System& system, const YamlValue& root, Report& report) {
    for (const auto& [name, query] : system.done) {
        const auto key = "write_backs.done." + name;
        if (!is_written(root, "kinds", name)) {
            report.add(query.line, key, name, "a name below kinds");
            continue;
        }
        const auto* const kind = system.find_kind(name);
        const auto* const audience =
            kind == nullptr ? nullptr : system.find_audience(kind->audience);
        std::vector<std::string> known{"job", "subject", "occurrence"};
        if (audience != nullptr) {
            const auto& more = audience->query.parameters;
            known.insert(known.end(), more.begin(), more.end());
        }
        for (const auto& parameter : query.parameters) {
            if (std::find(known.begin(), known.end(), parameter) != known.end()) continue;
            report.add(query.line, key, ":" + parameter,
                       fmt::format("one of :{}", fmt::join(known, ", :")));
        }
    }
}

}  // namespace

void check_references(System& system, const YamlValue& root, Report& report) {
    for (const auto* const required : {"audiences", "contacts", "kinds"}) {
        if (root.find(required) == nullptr) report.missing(0, required, "a map with an entry");
    }
    for (auto& [name, kind] : system.kinds) {
        const auto* const written = root.find("kinds")->find(name);
        settle_channels(kind, root, written->line, report);
        check_fallback(kind, root, report);
        check_kind_names(kind, root, report);
        if (kind.audience.empty() || is_written(root, "audiences", kind.audience)) continue;
        std::vector<std::string> known;
        for (const auto& [audience, ignored] : system.audiences) known.push_back(audience);
        const auto meant = nearest(kind.audience, known);
        report.add(written->find("audience")->line, fmt::format("kinds.{}.audience", name),
                   kind.audience,
                   meant.empty() ? "a name below audiences"
                                 : fmt::format("a name below audiences; did you mean {}?", meant));
    }
    check_done(system, root, report);
    for (const auto& schedule : system.schedules) {
        const auto key = join_key("schedules", schedule.kind);
        const auto* const kind = system.find_kind(schedule.kind);
        if (kind == nullptr) {
            report.add(schedule.query.line, key, schedule.kind, "a name below kinds");
        } else if (kind->audience.empty() && kind->told.empty()) {
            report.missing(schedule.query.line, fmt::format("kinds.{}.audience", kind->name),
                           "an audience, because the kind has a schedule");
        }
    }
}

}  // namespace fanfare
