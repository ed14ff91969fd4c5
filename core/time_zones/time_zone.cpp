#include "core/time_zones/time_zone.hpp"

#include <date/tz.h>
#include <unicode/strenum.h>
#include <unicode/timezone.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>

namespace fanfare {
namespace {

// Longer than any real name, Windows' included.
constexpr std::size_t name_bytes_max = 64;
constexpr std::chrono::hours half_a_year{24 * 183};

/// In lower case, blanks around gone, those within as underscores.
std::string folded(std::string_view name) {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (!name.empty() && is_blank(name.front())) name.remove_prefix(1);
    while (!name.empty() && is_blank(name.back())) name.remove_suffix(1);
    std::string out{name};
    for (auto& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c == ' ') c = '_';
    }
    return out;
}

using Names = std::map<std::string, const date::time_zone*, std::less<>>;

/// The zones of the system by their folded names. A file that is no zone is left out when it is
/// read, and so are links to where the machine stands, which is nobody's zone.
const Names& zones_by_name() {
    static const auto zones = [] {
        Names all;
        try {
            for (const auto& zone : date::get_tzdb().zones) all.emplace(folded(zone.name()), &zone);
            for (const auto* const link : {"localtime", "posixrules"}) all.erase(link);
        } catch (const std::exception&) {
            all.clear();  // No tzdata: everything is UTC, and start-up says so.
        }
        return all;
    }();
    return zones;
}

const date::time_zone* look_up(std::string_view folded_name) {
    const auto& zones = zones_by_name();
    const auto found = zones.find(folded_name);
    return found == zones.end() ? nullptr : found->second;
}

std::string utf8(const icu::UnicodeString& text) {
    std::string out;
    return text.toUTF8String(out);
}

/// The older names of tzdata, some of which distributions keep in a package of their own: lines
/// "L Asia/Kolkata Asia/Calcutta".
void add_older_names(Names& all) {
    std::ifstream file{std::string{time_zone_folder} + "/tzdata.zi"};
    for (std::string line; std::getline(file, line);) {
        std::istringstream words{line};
        std::string kind, name, older;
        if (!(words >> kind >> name >> older) || kind != "L") continue;
        if (const auto* const zone = look_up(folded(name))) all.emplace(folded(older), zone);
    }
}

/// Those of Windows, by CLDR. ICU has names of its own besides, such as BST for Bangladesh, where
/// a reader in London means another: what tzdata has not is no zone.
void add_names_of_windows(Names& all) {
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::StringEnumeration> ids{
        icu::TimeZone::createTimeZoneIDEnumeration(UCAL_ZONE_TYPE_ANY, nullptr, nullptr, status)};
    while (U_SUCCESS(status) != 0) {
        const auto* const id = ids->snext(status);
        if (id == nullptr) break;
        UErrorCode unknown = U_ZERO_ERROR;
        icu::UnicodeString windows, found;
        icu::TimeZone::getWindowsID(*id, windows, unknown);
        icu::TimeZone::getIDForWindowsID(windows, nullptr, found, unknown);
        if (U_SUCCESS(unknown) == 0 || windows.isEmpty()) continue;
        if (const auto* const zone = look_up(folded(utf8(found)))) {
            all.emplace(folded(utf8(windows)), zone);
        }
    }
}

const date::time_zone* look_up_alias(std::string_view folded_name) {
    static const auto zones = [] {
        Names all;
        add_older_names(all);
        add_names_of_windows(all);
        return all;
    }();
    const auto found = zones.find(folded_name);
    return found == zones.end() ? nullptr : found->second;
}

bool is_readable(const date::time_zone& zone) {
    try {
        std::ignore = zone.get_info(std::chrono::sys_seconds{});
        return true;
    } catch (const std::exception&) {
        return false;  // A file among the zones that is none.
    }
}

const date::time_zone& utc_zone() {
    static const auto* const zone = [] {
        const auto* found = look_up("etc/utc");
        if (found == nullptr) found = look_up("utc");
        if (found == nullptr) throw std::runtime_error{"no time zones: install the package tzdata"};
        return found;
    }();
    return *zone;
}

TimePoint to_time_point(std::chrono::sys_seconds moment) {
    // tzdata's "for ever" is a year far away.
    constexpr std::chrono::sys_days end{std::chrono::year{9999} / 1 / 1};
    return moment >= end ? TimePoint::max() : TimePoint{moment};
}

/// Dublin's tzdata calls winter the exception, as the law does: what counts for a reader is which
/// half of the year has its clocks ahead.
bool is_summer(const date::time_zone& zone, const date::sys_info& info) {
    for (const auto moment : {info.end, info.begin - std::chrono::seconds{1}}) {
        if (moment - info.begin > 2 * half_a_year && moment != info.end) continue;
        const auto other = zone.get_info(moment);
        const bool is_seasonal = (info.save.count() != 0) != (other.save.count() != 0);
        if (is_seasonal && other.offset != info.offset) return info.offset > other.offset;
    }
    return false;
}

}  // namespace

std::optional<TimeZone> TimeZone::find(std::string_view name) {
    if (name.empty() || name.size() > name_bytes_max) return std::nullopt;
    const auto wanted = folded(name);
    const auto* zone = look_up(wanted);
    if (zone == nullptr) zone = look_up_alias(wanted);
    if (zone == nullptr || !is_readable(*zone)) return std::nullopt;
    return TimeZone{zone};
}

TimeZone TimeZone::utc() { return TimeZone{&utc_zone()}; }

const std::string& TimeZone::name() const { return zone_->name(); }

TimeZone::Period TimeZone::at(TimePoint moment) const {
    const auto info = zone_->get_info(std::chrono::floor<std::chrono::seconds>(moment));
    return {.offset = info.offset,
            .is_summer = is_summer(*zone_, info),
            .abbreviation = info.abbrev,
            .ends = to_time_point(info.end)};
}

std::string time_zone_data_version() {
    // "# version 2025b"
    std::ifstream file{std::string{time_zone_folder} + "/tzdata.zi"};
    std::string hash, word, version;
    if (file >> hash >> word >> version && word == "version") return version;
    return "unknown";
}

}  // namespace fanfare
