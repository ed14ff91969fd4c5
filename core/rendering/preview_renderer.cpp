#include "core/rendering/preview_renderer.hpp"

#include "core/rendering/clean.hpp"
#include "core/rendering/variables.hpp"

#include <span>
#include <vector>

namespace fanfare {
namespace {

std::string one_line(std::string_view text) {
    std::string clean;
    append_clean(text, PartForm::line, clean);
    return clean;
}

/// What differs by person: the person's own, then the kind's defaults, moments and the link.
std::map<std::string, std::string> sample_values(const Kind& kind, Channel channel,
                                                 std::span<const NamedMoment> moments,
                                                 const Reader& reader, std::string_view locale,
                                                 const std::string& link) {
    auto personal = kind.person_defaults;
    for (const auto& [name, value] : reader.values) {
        if (auto line = one_line(value); !line.empty()) personal[name] = std::move(line);
    }
    for (const auto& [name, moment] : moments) {
        personal[name] =
            moment_for_reader(moment, reader.time_zone, channel, locale, reader.locale);
    }
    if (channel == Channel::email && !link.empty()) personal.emplace("unsubscribe_url", link);
    return personal;
}

}  // namespace

Result<RenderedPreview> render_preview(const Templates& templates, const Kind& kind,
                                       Channel channel,
                                       const std::map<std::string, std::string>& data,
                                       const Reader& reader, const std::string& link,
                                       TimePoint now) {
    const auto locale = templates.resolve_locale(kind.templates, channel, reader.locale);
    const auto moments = find_moments(kind.times, data);
    const auto shared = shared_variables(data, moments, now, channel, locale);
    const auto personal = sample_values(kind, channel, moments, reader, locale, link);
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
    RenderedPreview written;
    written.locale = content.value().locale;
    write_text(content.value().subject, values.data(), written.subject);
    if (channel == Channel::sms) {
        write_sms(content.value().text, values.data(), written.text);
    } else {
        write_text(content.value().text, values.data(), written.text);
    }
    write_text(content.value().html, values.data(), written.html);
    if (channel == Channel::push) written.data = push_data(data);
    return written;
}

}  // namespace fanfare
