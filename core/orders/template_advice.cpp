#include "core/orders/template_advice.hpp"

#include "core/audience/channels.hpp"
#include "core/rendering/program.hpp"
#include "core/settings/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace fanfare {
namespace {

using Words = std::set<std::string, std::less<>>;

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

void add_words(std::string_view sql, Words& words) {
    for (std::size_t i = 0; i < sql.size();) {
        auto end = i;
        while (end < sql.size() && is_word(sql[end])) ++end;
        if (end > i) words.emplace(sql.substr(i, end - i));
        i = std::max(end, i + 1);
    }
}

/// Columns that the text does not name.
bool hides_names(std::string_view sql, const Words& words) {
    return sql.find('*') != std::string_view::npos || words.contains("to_json") ||
           words.contains("to_jsonb") || words.contains("row_to_json");
}

/// What gives variables to the texts of a kind.
struct Given {
    Words words;
    bool is_all = false;  // Nothing else gives any: its due query names all.
};

Given given_to(const System& system, const Kind& kind, Channel channel) {
    Given given;
    bool hides = false;
    for (const auto& name : kind.times) {
        given.words.insert({name, name + "_there", name + "_zone"});
        if (name.ends_with("_at")) given.words.insert(name.substr(0, name.size() - 3) + "_in");
    }
    for (const auto& [name, text] : kind.person_defaults) given.words.insert(name);
    for (const auto name : whole_audience_variables) given.words.emplace(name);
    const auto take = [&](const Query& query) {
        Words words;
        add_words(query.sql, words);
        hides = hides || hides_names(query.sql, words);
        given.words.merge(words);
    };
    if (const auto& contact = system.contacts[static_cast<std::size_t>(channel)]) {
        take(contact->query);
    }
    for (const auto& schedule : system.schedules) {
        if (schedule.kind != kind.name) continue;
        given.is_all = true;
        take(schedule.query);
    }
    given.is_all = given.is_all && !hides;
    return given;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// One letter is wrong, too many or missing, or two have changed places. Numbers (name_1, name_2)
/// and plurals are words of their own.
bool is_near(std::string_view a, std::string_view b) {
    constexpr std::size_t letters_min = 4;
    if (a.size() > b.size()) std::swap(a, b);
    if (a.size() < letters_min || b.size() > a.size() + 1 || a == b) return false;
    std::size_t i = 0;
    while (i < a.size() && a[i] == b[i]) ++i;
    if (a.size() < b.size()) {
        const bool is_plural = i == a.size() && b.back() == 's';
        return !is_plural && a.substr(i) == b.substr(i + 1);
    }
    if (is_digit(a[i]) && is_digit(b[i])) return false;
    if (a.substr(i + 1) == b.substr(i + 1)) return true;
    return i + 1 < a.size() && a[i] == b[i + 1] && a[i + 1] == b[i] &&
           a.substr(i + 2) == b.substr(i + 2);
}

/// What a variable was probably meant to be; "" where it may well be right.
std::string meant_by(const std::string& name, const std::vector<std::string>& used,
                     const Given& given) {
    std::vector<std::string> others;
    for (const auto& word : given.words) {
        if (is_near(name, word)) others.push_back(word);
    }
    for (const auto& word : used) {
        if (word != name && is_near(name, word)) others.push_back(word);
    }
    return nearest(name, others);
}

}  // namespace

Problems template_advice(const System& system, const Kind& kind, const Templates& templates) {
    Problems advice;
    Job job;
    job.channels = kind.channels;
    for (const auto channel : channels_used(job, kind)) {
        const auto given = given_to(system, kind, channel);
        const auto used = templates.variables(kind.templates, channel);
        const auto needed = templates.needed_variables(kind.templates, channel);
        for (const auto& name : used) {
            if (given.words.contains(name)) continue;
            const auto places = templates.list_places(kind.templates, channel, name);
            // What several files write the same way is no slip of the pen.
            const bool is_common = !given.is_all && places.size() > 1;
            const auto meant = is_common ? std::string{} : meant_by(name, used, given);
            // In a section it is for the jobs that have it.
            const bool is_needed = std::find(needed.begin(), needed.end(), name) != needed.end();
            if (meant.empty() && !(given.is_all && is_needed)) continue;
            auto expected = fmt::format("a variable that the kind {} has", kind.name);
            if (!meant.empty()) expected += fmt::format("; did you mean {{{{{}}}}}?", meant);
            auto place = places.front();
            place.value = fmt::format("{{{{{}}}}}", name);
            place.expected = std::move(expected);
            advice.push_back(std::move(place));
        }
    }
    return advice;
}

}  // namespace fanfare
