#include "core/systems/kind_reader.hpp"

#include "core/settings/form.hpp"

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
        const auto channel = parse_channel(map.keys[i].text);
        const auto policy = value.is_scalar() ? parse_doubt_policy(value.text) : std::nullopt;
        if (!channel) {
            std::vector<std::string> known;
            for (const auto each : channels) known.push_back(join_key(key, to_string(each)));
            report.unknown(map.keys[i].line, full, known);
        } else if (!policy) {
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
        const auto from = parse_channel(map.keys[i].text);
        const auto to = value.is_scalar() ? parse_channel(value.text) : std::nullopt;
        if (!from) {
            std::vector<std::string> known;
            for (const auto each : channels) known.push_back(join_key(key, to_string(each)));
            report.unknown(map.keys[i].line, full, known);
        } else if (!to || to == from) {
            report.add(value.line, full, value.shown(), "another channel: email, sms or push");
        } else {
            kind.fallback[static_cast<std::size_t>(*from)] = to;
        }
    }
}

Form<Kind> kind_form() {
    Form<Kind> form;
    form.rows = {
        choice<Kind>(
            {"lane", "", "urgent, normal or bulk", "normal", ""},
            [](const std::string& word) { return parse_lane(word); },
            [](auto& k) -> auto& { return k.lane; }),
        words<Kind>(
            {"audience", "", ""}, name_of(100, "-_"), [](auto& k) -> auto& { return k.audience; }),
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
            {"list", "", ""}, name_of(100, ".-_"), [](auto& k) -> auto& { return k.list; }),
    };
    const auto special = [&form](const std::string& key, auto read) {
        form.specials.push_back({{key, "", "", "", ""}, read});
    };
    special("channels", read_channels);
    special("times", read_times);
    special("person_defaults", read_person_defaults);
    special("on_doubt", read_on_doubt);
    special("fallback", read_fallback);
    return form;
}

}  // namespace

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
