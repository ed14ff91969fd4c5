#include "core/rendering/date_formatter.hpp"

#include "core/time_zones/time_zone.hpp"

#include <unicode/datefmt.h>
#include <unicode/dtfmtsym.h>
#include <unicode/dtptngen.h>
#include <unicode/fieldpos.h>
#include <unicode/locid.h>
#include <unicode/reldatefmt.h>
#include <unicode/smpdtfmt.h>
#include <unicode/timezone.h>
#include <unicode/uloc.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace fanfare {
namespace {

// Longer names than any real one are not worth a cache entry.
constexpr std::size_t zone_or_locale_bytes_max = 64;
constexpr const char16_t* english_pattern = u"MMMM d, y 'at' h:mm a z";

/// The languages ICU has data for; without this check it would answer an unknown one in the
/// language of the process.
bool is_known_language(const char* language) {
    static const auto languages = [] {
        std::vector<std::string> all;
        for (std::int32_t i = 0; i < uloc_countAvailable(); ++i) {
            const std::string_view name{uloc_getAvailable(i)};
            all.emplace_back(name.substr(0, name.find('_')));
        }
        std::ranges::sort(all);
        const auto rest = std::ranges::unique(all);
        all.erase(rest.begin(), rest.end());
        return all;
    }();
    return std::ranges::binary_search(languages, language);
}

/// Language, script and region. What follows is not the reader's business: a part of one letter
/// begins an extension ("-u-ca-buddhist"), a dot or an at sign what POSIX has.
std::string plain_tag(std::string_view name) {
    std::string tag{name.substr(0, name.find_first_of(".@"))};
    std::ranges::replace(tag, '_', '-');
    for (std::size_t begin = 0; begin < tag.size();) {
        const auto end = std::min(tag.find('-', begin), tag.size());
        if (end - begin == 1) return tag.substr(0, begin == 0 ? 0 : begin - 1);
        begin = end + 1;
    }
    return tag;
}

std::optional<icu::Locale> known_locale(const std::string& tag) {
    UErrorCode status = U_ZERO_ERROR;
    const auto parsed = icu::Locale::forLanguageTag(tag, status);
    if (U_FAILURE(status) != 0 || !is_known_language(parsed.getLanguage())) return std::nullopt;
    std::string base{parsed.getLanguage()};
    for (const std::string_view part : {parsed.getScript(), parsed.getCountry()}) {
        if (!part.empty()) base.append("_").append(part);
    }
    // A region's calendar and digits are not the text's: Thailand's year would be 2569 in English.
    return icu::Locale{base.c_str(), nullptr, nullptr, "calendar=gregorian;numbers=latn"};
}

/// Of a tag that is none its language counts, as it does where the text is chosen.
icu::Locale to_locale(std::string_view name) {
    const auto tag = plain_tag(name);
    if (const auto whole = known_locale(tag)) return *whole;
    const auto language = known_locale(tag.substr(0, tag.find('-')));
    return language ? *language : known_locale("en").value_or(icu::Locale::getEnglish());
}

std::string to_plain_utf8(icu::UnicodeString text) {
    for (std::int32_t i = 0; i < text.length(); ++i) {
        const auto c = text.charAt(i);
        if (c == u'\u202F' || c == u'\u00A0' || c == u'\u2009') text.setCharAt(i, u' ');
        if (c == u'\u2212') text.setCharAt(i, u'-');
    }
    std::string out;
    return text.toUTF8String(out);
}

/// What formats for one locale.
struct Language {
    std::unique_ptr<icu::SimpleDateFormat> absolute;
    std::unique_ptr<icu::RelativeDateTimeFormatter> relative;
};

std::unique_ptr<icu::SimpleDateFormat> make_absolute(const icu::Locale& locale) {
    UErrorCode status = U_ZERO_ERROR;
    const auto is_english = std::string_view{locale.getLanguage()} == "en";
    icu::UnicodeString pattern{english_pattern};
    if (!is_english) {
        const std::unique_ptr<icu::DateTimePatternGenerator> generator{
            icu::DateTimePatternGenerator::createInstance(locale, status)};
        if (U_SUCCESS(status) != 0) pattern = generator->getBestPattern(u"yMMMMdjmmz", status);
    }
    auto format = std::make_unique<icu::SimpleDateFormat>(pattern, locale, status);
    if (U_FAILURE(status) != 0) return nullptr;
    if (is_english) {
        // Some regions write "pm"; the systems' format has capitals.
        auto symbols = std::make_unique<icu::DateFormatSymbols>(*format->getDateFormatSymbols());
        const icu::UnicodeString halves[]{u"AM", u"PM"};
        symbols->setAmPmStrings(halves, 2);
        format->adoptDateFormatSymbols(symbols.release());
    }
    return format;
}

/// A zone of the system as ICU sees zones: the offsets are tzdata's, the names are CLDR's.
class SystemZone final : public icu::TimeZone {
public:
    explicit SystemZone(const fanfare::TimeZone& zone)
        : icu::TimeZone{icu::UnicodeString::fromUTF8(zone.name())}, zone_{zone} {}

    void getOffset(UDate date, UBool is_local, std::int32_t& raw, std::int32_t& saving,
                   UErrorCode& status) const override {
        if (is_local != 0) status = U_UNSUPPORTED_ERROR;  // We only format.
        const auto period = zone_.at(to_moment(date));
        saving = period.is_summer ? hour_ms : 0;
        raw = to_ms(period.offset) - saving;
    }
    std::int32_t getOffset(std::uint8_t, std::int32_t, std::int32_t, std::int32_t, std::uint8_t,
                           std::int32_t, UErrorCode& status) const override {
        status = U_UNSUPPORTED_ERROR;
        return 0;
    }
    std::int32_t getOffset(std::uint8_t, std::int32_t, std::int32_t, std::int32_t, std::uint8_t,
                           std::int32_t, std::int32_t, UErrorCode& status) const override {
        status = U_UNSUPPORTED_ERROR;
        return 0;
    }
    void setRawOffset(std::int32_t) override {}
    std::int32_t getRawOffset() const override { return 0; }
    UBool useDaylightTime() const override { return 1; }
    UBool inDaylightTime(UDate date, UErrorCode&) const override {
        return zone_.at(to_moment(date)).is_summer ? 1 : 0;
    }
    icu::TimeZone* clone() const override { return new SystemZone{*this}; }
    UClassID getDynamicClassID() const override {
        static char id = 0;
        return &id;
    }

private:
    static constexpr std::int32_t hour_ms = 3'600'000;
    static TimePoint to_moment(UDate date) {
        return TimePoint{std::chrono::milliseconds{static_cast<std::int64_t>(date)}};
    }
    static std::int32_t to_ms(std::chrono::seconds offset) {
        return static_cast<std::int32_t>(offset.count() * 1'000);
    }

    fanfare::TimeZone zone_;
};

/// Where a zone comes from; `is_named`: CLDR has heard of it.
struct Zone {
    TimeZone system;
    std::unique_ptr<icu::TimeZone> icu;
    bool is_named;
};

Zone make_zone(std::string_view name) {
    const auto system = TimeZone::find(name).value_or(TimeZone::utc());
    const std::unique_ptr<icu::TimeZone> known{
        icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(system.name()))};
    return {system, std::make_unique<SystemZone>(system), *known != icu::TimeZone::getUnknown()};
}

double to_icu(TimePoint moment) {
    return static_cast<double>(
        std::chrono::floor<std::chrono::milliseconds>(moment.time_since_epoch()).count());
}

/// A number of a unit that is never later than the truth by more than a few per cent, so that
/// nobody comes late because of it, and yet "in 3 hours" two minutes after the third last.
struct Distance {
    std::int64_t count;
    URelativeDateTimeUnit unit;
};

Distance round_distance(std::int64_t minutes) {
    constexpr std::int64_t hour = 60;
    constexpr std::int64_t day = 24 * hour;
    if (minutes == hour) return {1, UDAT_REL_UNIT_HOUR};
    if (minutes < 2 * hour - 5) return {minutes, UDAT_REL_UNIT_MINUTE};
    if (minutes < 2 * day - hour) return {(minutes + 5) / hour, UDAT_REL_UNIT_HOUR};
    return {(minutes + hour) / day, UDAT_REL_UNIT_DAY};
}

}  // namespace

struct DateFormatter::Caches {
    std::unordered_map<std::string, Language> languages;
    std::unordered_map<std::string, Zone> zones;
    std::unordered_map<std::string, std::string> results;
    std::string key;  // Reused, so that a hit allocates nothing but the answer.

    Language& language(std::string_view name) {
        const std::string text{name};
        if (const auto found = languages.find(text); found != languages.end()) {
            return found->second;
        }
        if (languages.size() >= locales_max) languages.clear();
        const auto locale = to_locale(name);
        UErrorCode status = U_ZERO_ERROR;
        Language made{make_absolute(locale),
                      std::make_unique<icu::RelativeDateTimeFormatter>(locale, status)};
        if (U_FAILURE(status) != 0) made.relative.reset();
        return languages.emplace(text, std::move(made)).first->second;
    }

    const Zone& zone(std::string_view name) {
        const std::string text{name};
        if (const auto found = zones.find(text); found != zones.end()) return found->second;
        if (zones.size() >= zones_max) zones.clear();
        return zones.emplace(text, make_zone(name)).first->second;
    }

    std::string format(TimePoint moment, std::string_view time_zone, std::string_view locale) {
        auto& formatter = language(locale).absolute;
        if (!formatter) return {};
        const auto& shown = zone(time_zone);
        formatter->setTimeZone(*shown.icu);
        icu::UnicodeString text;
        icu::FieldPosition place{UDAT_TIMEZONE_FIELD};
        formatter->format(to_icu(moment), text, place);
        const auto letters = shown.system.at(moment).abbreviation;
        if (!shown.is_named && !letters.empty() && letters.front() >= 'A') {
            // Younger than ICU's names: tzdata's own letters.
            text.replaceBetween(place.getBeginIndex(), place.getEndIndex(),
                                icu::UnicodeString::fromUTF8(letters));
        }
        return to_plain_utf8(std::move(text));
    }
};

DateFormatter::DateFormatter() : caches_{std::make_unique<Caches>()} {}
DateFormatter::DateFormatter(DateFormatter&&) noexcept = default;
DateFormatter& DateFormatter::operator=(DateFormatter&&) noexcept = default;
DateFormatter::~DateFormatter() = default;

std::string DateFormatter::format(TimePoint moment, std::string_view time_zone,
                                  std::string_view locale) {
    if (time_zone.size() > zone_or_locale_bytes_max) time_zone = "";
    if (locale.size() > zone_or_locale_bytes_max)
        locale = locale.substr(0, locale.find_first_of("-_"));
    if (locale.size() > zone_or_locale_bytes_max) locale = "";
    auto& key = caches_->key;
    const auto count = moment.time_since_epoch().count();
    key.assign(reinterpret_cast<const char*>(&count), sizeof count);
    key.append(time_zone).push_back('\0');
    key.append(locale);
    if (const auto found = caches_->results.find(key); found != caches_->results.end()) {
        return found->second;
    }
    if (caches_->results.size() >= results_max) caches_->results.clear();
    return caches_->results.emplace(key, caches_->format(moment, time_zone, locale)).first->second;
}

std::string DateFormatter::relative(TimePoint moment, TimePoint now, std::string_view locale) {
    if (locale.size() > zone_or_locale_bytes_max)
        locale = locale.substr(0, locale.find_first_of("-_"));
    if (locale.size() > zone_or_locale_bytes_max) locale = "";
    const auto& formatter = caches_->language(locale).relative;
    if (!formatter) return {};
    const auto minutes = minutes_until(moment, now);
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeString text;
    if (minutes == 0) {
        formatter->format(UDAT_DIRECTION_PLAIN, UDAT_ABSOLUTE_NOW, text, status);
    } else {
        const auto distance = round_distance(minutes);
        formatter->formatNumeric(static_cast<double>(distance.count), distance.unit, text, status);
    }
    return to_plain_utf8(std::move(text));
}

std::int64_t minutes_until(TimePoint moment, TimePoint now) {
    using std::chrono::seconds;
    if (moment <= now) return 0;
    // Halves go up, as people round; std::chrono::round would take the even neighbour.
    return std::chrono::floor<std::chrono::minutes>(moment - now + seconds{30}).count();
}

}  // namespace fanfare
