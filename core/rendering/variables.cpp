#include "core/rendering/variables.hpp"

#include "core/rendering/date_formatter.hpp"
#include "core/rendering/segments.hpp"
#include "core/wire/timestamp.hpp"

namespace fanfare {
namespace {

constexpr std::string_view default_language = "en";

DateFormatter& formatter() {
    thread_local DateFormatter instance;
    return instance;
}

std::string_view language_part(std::string_view locale) {
    return locale.substr(0, locale.find_first_of("-_"));
}

bool same_language(std::string_view a, std::string_view b) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    const auto left = language_part(a);
    const auto right = language_part(b);
    return left.size() == right.size() &&
           std::equal(left.begin(), left.end(), right.begin(),
                      [lower](char x, char y) { return lower(x) == lower(y); });
}

std::string fitted(std::string text, Channel channel) {
    return channel == Channel::sms ? without_foreign_accents(text) : text;
}

}  // namespace

std::vector<NamedMoment> find_moments(std::span<const std::string> names,
                                      const std::map<std::string, std::string>& data) {
    std::vector<NamedMoment> moments;
    for (const auto& name : names) {
        const auto found = data.find(name);
        if (found == data.end()) continue;
        if (const auto moment = parse_time_or_utc(found->second))
            moments.emplace_back(name, *moment);
    }
    return moments;
}

std::map<std::string, std::string> shared_variables(const std::map<std::string, std::string>& data,
                                                    std::span<const NamedMoment> moments,
                                                    TimePoint now, Channel channel,
                                                    std::string_view template_locale) {
    const auto locale = template_locale.empty() ? default_language : template_locale;
    auto shared = data;
    for (const auto& [name, moment] : moments) {
        if (const auto zone = data.find(name + "_zone"); zone != data.end()) {
            shared[name + "_there"] =
                fitted(formatter().format(moment, zone->second, locale), channel);
        }
        if (!name.ends_with("_at")) continue;
        // Relative times are in the template's language, so they read as one sentence.
        shared[name.substr(0, name.size() - 3) + "_in"] =
            fitted(formatter().relative(moment, now, locale), channel);
    }
    return shared;
}

std::string moment_for_reader(TimePoint moment, std::string_view time_zone, Channel channel,
                              std::string_view template_locale, std::string_view reader_locale) {
    const auto locale = template_locale.empty() ? default_language : template_locale;
    const bool is_theirs = same_language(locale, reader_locale);
    return fitted(formatter().format(moment, time_zone, is_theirs ? reader_locale : locale),
                  channel);
}

std::map<std::string, std::string> push_data(const std::map<std::string, std::string>& data) {
    std::map<std::string, std::string> chosen;
    for (const auto& [name, value] : data) {
        if (name == "link" || name.ends_with("_id")) chosen[name] = value;
    }
    return chosen;
}

}  // namespace fanfare
