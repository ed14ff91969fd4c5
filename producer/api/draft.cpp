#include "producer/api/draft.hpp"

#include "worker/rendering/moments.hpp"

#include <algorithm>

namespace fanfare::api {
namespace {

Moments& moments() {
    thread_local Moments instance;
    return instance;
}

std::string without_control(std::string text) {
    std::replace_if(
        text.begin(), text.end(),
        [](char c) {
            const auto byte = static_cast<unsigned char>(c);
            return byte < 0x20 || byte == 0x7f;
        },
        ' ');
    return text;
}

/// What differs by person: the person's own, then the kind's defaults, moments and the link.
std::map<std::string, std::string> personal_of(const Kind& kind, Channel channel,
                                               const std::map<std::string, std::string>& data,
                                               const Reader& reader, const std::string& link) {
    auto personal = kind.person_defaults;
    for (const auto& [name, value] : reader.values) {
        if (!value.empty()) personal[name] = without_control(value);
    }
    for (const auto& name : kind.times) {
        const auto found = data.find(name);
        if (found == data.end()) continue;
        const auto moment = parse_moment(found->second);
        if (!moment) continue;
        personal[name] = moments().format(*moment, reader.time_zone, reader.locale);
    }
    if (channel == Channel::email && !link.empty()) personal.emplace("unsubscribe_url", link);
    return personal;
}

}  // namespace

Result<Written> write_draft(const Templates& templates, const Kind& kind, Channel channel,
                            const std::map<std::string, std::string>& data, const Reader& reader,
                            const std::string& link, TimePoint now) {
    const auto locale = templates.resolve_locale(kind.templates, channel, reader.locale);
    auto shared = data;
    for (const auto& name : kind.times) {
        const auto found = data.find(name);
        if (found == data.end()) continue;
        const auto moment = parse_moment(found->second);
        if (!moment) continue;
        if (const auto zone = data.find(name + "_zone"); zone != data.end()) {
            shared[name + "_there"] =
                moments().format(*moment, zone->second, locale.empty() ? "en" : locale);
        }
        if (!name.ends_with("_at")) continue;
        shared[name.substr(0, name.size() - 3) + "_in"] =
            moments().relative(*moment, now, locale.empty() ? "en" : locale);
    }
    const auto personal = personal_of(kind, channel, data, reader, link);
    std::vector<std::string> names;
    for (const auto& [name, value] : personal) names.push_back(name);
    const auto content = templates.render(kind.templates, channel, locale, shared, names);
    if (!content) return content.error();
    std::vector<std::string_view> values;
    for (std::size_t i = 0; i < content.value().variables.size(); ++i) {
        const std::string_view value = personal.at(content.value().variables[i]);
        // As a worker does: such a link is left out.
        const bool is_left_out = content.value().links[i] && !is_safe_link(value);
        values.push_back(is_left_out ? std::string_view{} : value);
    }
    Written written;
    written.locale = content.value().locale;
    write_text(content.value().subject, values.data(), written.subject);
    write_text(content.value().text, values.data(), written.text);
    write_text(content.value().html, values.data(), written.html);
    return written;
}

}  // namespace fanfare::api
