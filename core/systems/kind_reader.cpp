#include "core/systems/kind_reader.hpp"

#include "core/settings/schema.hpp"

#include <algorithm>

namespace fanfare {
namespace {

std::optional<Dedupe> parse_dedupe(std::string_view word) {
    if (word == "person") return Dedupe::person;
    if (word == "address") return Dedupe::address;
    return std::nullopt;
}

void read_channels(Kind& kind, const YamlValue& list, const std::string& key, Report& report) {
    if (!expect_list(list, key, report)) return;
    if (list.items.empty()) report.add(list.line, key, "[]", "at least one channel");
    for (std::size_t i = 0; i < list.items.size(); ++i) {
        const auto& item = list.items[i];
        const auto channel = item.is_scalar() ? parse_channel(item.text) : std::nullopt;
        const bool repeated = channel && std::find(kind.channels.begin(), kind.channels.end(),
                                                   *channel) != kind.channels.end();
        if (channel && !repeated) {
            kind.channels.push_back(*channel);
        } else {
            report.add(item.line, fmt::format("{}[{}]", key, i), item.shown(),
                       "email, sms or push, each at most once");
        }
    }
    std::sort(kind.channels.begin(), kind.channels.end());
}

void read_times(Kind& kind, const YamlValue& list, const std::string& key, Report& report) {
    if (list.is_null() || !expect_list(list, key, report)) return;
    const TextRule variable{"a variable's name: letters, digits and _, at most 100",
                            is_variable_name};
    for (std::size_t i = 0; i < list.items.size(); ++i) {
        const auto* const name =
            expect_text(list.items[i], fmt::format("{}[{}]", key, i), variable, report);
        if (name != nullptr) kind.times.push_back(*name);
    }
}

void read_person_defaults(Kind& kind, const YamlValue& map, const std::string& key,
                          Report& report) {
    if (map.is_null() || !expect_map(map, key, report)) return;
    for (std::size_t i = 0; i < map.items.size(); ++i) {
        const auto& name = map.keys[i].text;
        const auto full = join_key(key, name);
        if (!is_variable_name(name)) {
            report.add(map.keys[i].line, key, name, "names of letters, digits and _, at most 100");
        } else if (const auto* text =
                       expect_text(map.items[i], full, plain_text(0, 1000), report)) {
            kind.person_defaults[name] = *text;
        }
    }
}

void read_on_doubt(Kind& kind, const YamlValue& map, const std::string& key, Report& report) {
    if (map.is_null() || !expect_map(map, key, report)) return;
    for (std::size_t i = 0; i < map.items.size(); ++i) {
        const auto& value = map.items[i];
        const auto full = join_key(key, map.keys[i].text);
        const auto channel = channel_key(map, i, key, report);
        if (!channel) continue;
        const auto policy = value.is_scalar() ? parse_doubt_policy(value.text) : std::nullopt;
        if (!policy) {
            report.add(value.line, full, value.shown(), "hold, resend or reconcile");
        } else {
            kind.on_doubt[static_cast<std::size_t>(*channel)] = policy;
        }
    }
}

void read_fallback(Kind& kind, const YamlValue& map, const std::string& key, Report& report) {
    if (map.is_null() || !expect_map(map, key, report)) return;
    for (std::size_t i = 0; i < map.items.size(); ++i) {
        const auto& value = map.items[i];
        const auto full = join_key(key, map.keys[i].text);
        const auto from = channel_key(map, i, key, report);
        if (!from) continue;
        const auto to = value.is_scalar() ? parse_channel(value.text) : std::nullopt;
        if (!to || to == from) {
            report.add(value.line, full, value.shown(), "another channel: email, sms or push");
        } else {
            kind.fallback[static_cast<std::size_t>(*from)] = to;
        }
    }
}

/// A name of an audience, or {told: kind}.
void read_audience(Kind& kind, const YamlValue& value, const std::string& key, Report& report) {
    if (!value.is_map()) {
        if (const auto* name = expect_text(value, key, name_pattern(100, "-_"), report)) {
            kind.audience = *name;
        }
        return;
    }
    Form<Kind> form;
    form.rows = {words<Kind>(
        {"told", "", ""}, name_pattern(100, ".-_"), [](auto& k) -> auto& { return k.told; })};
    FormReader<Kind>{kind, form, key, report}.read(value);
    if (kind.told.empty() && value.items.empty()) {
        report.add(value.line, key, "{}", "a name below audiences, or {told: kind}");
    }
}

void read_cancels(Kind& kind, const YamlValue& list, const std::string& key, Report& report) {
    if (list.is_null() || !expect_list(list, key, report)) return;
    for (std::size_t i = 0; i < list.items.size(); ++i) {
        const auto* const name = expect_text(list.items[i], fmt::format("{}[{}]", key, i),
                                             name_pattern(100, ".-_"), report);
        if (name != nullptr) kind.cancels.push_back(*name);
    }
}

/// "22:00".
std::optional<std::chrono::minutes> parse_wall_time(const std::string& text) {
    if (text.size() != 5 || text[2] != ':') return std::nullopt;
    const auto hours = parse_whole(text[0] == '0' ? text.substr(1, 1) : text.substr(0, 2));
    const auto minutes = parse_whole(text[3] == '0' ? text.substr(4, 1) : text.substr(3, 2));
    if (!hours || !minutes || *hours < 0 || *hours > 23 || *minutes < 0 || *minutes > 59) {
        return std::nullopt;
    }
    return std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
}

Form<QuietHours> quiet_form() {
    Form<QuietHours> form;
    const auto wall_time = [](const char* key, auto field) {
        return choice<QuietHours>({key, "", "a time of day such as \"22:00\"", "", ""},
                                  parse_wall_time, field);
    };
    form.rows = {
        wall_time(
            "from", [](auto& q) -> auto& { return q.from; }),
        wall_time(
            "to", [](auto& q) -> auto& { return q.to; }),
        choice<QuietHours>(
            {"then", "", "defer or drop", "defer", ""},
            [](const std::string& word) -> std::optional<bool> {
                if (word != "defer" && word != "drop") return std::nullopt;
                return word == "drop";
            },
            [](auto& q) -> auto& { return q.drops; }),
        words<QuietHours>(
            {"time_zone", "", ""}, time_zone_or_empty(),
            [](auto& q) -> auto& { return q.time_zone; }),
    };
    return form;
}

void read_quiet_hours(Kind& kind, const YamlValue& map, const std::string& key, Report& report) {
    if (map.is_null() || (map.is_scalar() && map.text == "none")) return;
    static const Form<QuietHours> form = quiet_form();
    QuietHours quiet;
    const auto before = report.problems.size();
    FormReader<QuietHours>{quiet, form, key, report}.read(map);
    if (report.problems.size() > before) return;
    for (const auto* const required : {"from", "to"}) {
        if (map.find(required) == nullptr) {
            report.missing(map.line, join_key(key, required), "a time of day such as \"22:00\"");
        }
    }
    if (report.problems.size() > before) return;
    if (quiet.from == quiet.to) {
        report.add(map.line, join_key(key, "to"), map.find("to")->shown(),
                   "another time than from; quiet_hours: none for none");
    } else {
        kind.quiet_hours = quiet;
    }
}

void read_at_most(Kind& kind, const YamlValue& map, const std::string& key, Report& report) {
    if (map.is_null()) return;
    Form<Cap> form;
    form.rows = {
        whole<Cap>(
            {"count", "", ""}, {1, 1'000}, [](auto& c) -> auto& { return c.count; }),
        whole<Cap>(
            {"per_hours", "h", ""}, {1, Cap::window_max.count()},
            [](auto& c) -> auto& { return c.window; }),
    };
    Cap cap;
    const auto before = report.problems.size();
    FormReader<Cap>{cap, form, key, report}.read(map);
    if (report.problems.size() > before) return;
    for (const auto* const required : {"count", "per_hours"}) {
        if (map.find(required) == nullptr) {
            report.missing(map.line, join_key(key, required), "a whole number");
        }
    }
    kind.at_most = cap;
}

Form<Kind> kind_form() {
    Form<Kind> form;
    form.rows = {
        flag<Kind>(
            {"stop_when_gone", "", ""}, [](auto& k) -> auto& { return k.stop_when_gone; }),
        choice<Kind>(
            {"lane", "", "urgent, normal or bulk", "normal", ""},
            [](const std::string& word) { return parse_lane(word); },
            [](auto& k) -> auto& { return k.lane; }),
        words<Kind>(
            {"templates", "", ""}, inner_path(), [](auto& k) -> auto& { return k.templates; }),
        choice<Kind>(
            {"dedupe", "", "person or address", "person", ""},
            [](const std::string& word) { return parse_dedupe(word); },
            [](auto& k) -> auto& { return k.dedupe; }),
        words<Kind>(
            {"collapse_key", "", ""}, plain_text(0, 200),
            [](auto& k) -> auto& { return k.collapse_key; }),
        words<Kind>(
            {"list", "", ""}, name_pattern(100, ".-_"), [](auto& k) -> auto& { return k.list; }),
    };
    const auto special = [&form](const std::string& key, auto read) {
        form.specials.push_back({{key, "", "", "", ""}, read});
    };
    special("audience", read_audience);
    special("cancels", read_cancels);
    special("quiet_hours", read_quiet_hours);
    special("at_most", read_at_most);
    special("channels", read_channels);
    special("times", read_times);
    special("person_defaults", read_person_defaults);
    special("on_doubt", read_on_doubt);
    special("fallback", read_fallback);
    return form;
}

}  // namespace

std::optional<Channel> channel_key(const YamlValue& map, std::size_t i, const std::string& key,
                                   Report& report) {
    const auto channel = parse_channel(map.keys[i].text);
    if (!channel) {
        std::vector<std::string> known;
        for (const auto each : channels) known.push_back(join_key(key, to_string(each)));
        report.unknown(map.keys[i].line, join_key(key, map.keys[i].text), known);
    }
    return channel;
}

Kind read_kind(const std::string& name, const YamlValue& map, const std::string& key,
               Report& report) {
    static const Form<Kind> form = kind_form();
    Kind kind;
    kind.name = name;
    kind.templates = name;
    if (map.is_null()) return kind;
    FormReader<Kind>{kind, form, key, report}.read(map);
    return kind;
}

}  // namespace fanfare
