#include "producer/console/job_views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fanfare::console {
namespace {

namespace json = boost::json;

/// Outcomes as a bar shows them: which belong together, and in which order.
struct Part {
    std::string_view name;
    std::string_view tone;
};
constexpr std::array<Part, 15> bar_parts{{{"clicked", "good-3"},
                                          {"opened", "good-2"},
                                          {"delivered", "good-1"},
                                          {"sent", "good-0"},
                                          {"failed", "bad"},
                                          {"refused", "bad-1"},
                                          {"unknown", "doubt"},
                                          {"expired", "late"},
                                          {"suppressed", "none"},
                                          {"opted_out", "none"},
                                          {"no_address", "none"},
                                          {"cancelled", "none"},
                                          {"replayed", "none"},
                                          {"retry", "open"},
                                          {"pending", "open"}}};

std::int64_t open_in(const json::object& channel) {
    const auto* const outcomes = channel.if_contains("outcomes");
    if (outcomes == nullptr || !outcomes->is_object()) return 0;
    const auto& counts = outcomes->get_object();
    return count_in(counts, "pending") + count_in(counts, "retry");
}

std::int64_t planned_in(const json::object& job) {
    std::int64_t planned = 0;
    for (const auto& channel : objects_in(job, "channels")) planned += count_in(channel, "planned");
    return planned;
}

int to_percent(std::int64_t part, std::int64_t whole) {
    if (whole <= 0) return 0;
    return static_cast<int>(std::clamp<std::int64_t>(part * 100 / whole, 0, 100));
}

void put_pace(View& into, const Pace* pace, std::int64_t open, bool over) {
    const auto rate = pace == nullptr || over ? std::nullopt : pace->per_second();
    put(into, "rate", rate ? fmt::format("{}/s", grouped(std::llround(*rate))) : std::string{});
    const bool is_moving = rate && *rate > 0.01 && open > 0;
    put(into, "left", is_moving ? duration_text(static_cast<double>(open) / *rate) : std::string{});
}

void put_progress(View& into, std::int64_t settled, std::int64_t planned) {
    into.set("settled", grouped(settled));
    into.set("planned", grouped(planned));
    into.set("settled_plain", std::to_string(settled));
    into.set("planned_plain", std::to_string(std::max<std::int64_t>(planned, 1)));
    into.set("percent", std::to_string(to_percent(settled, planned)));
    into.set("has_people", View{planned > 0});
}

/// The outcomes that there are, each with its place in a bar of 100 %.
View outcome_views(const json::object& channel) {
    View shown{View::type::list};
    const auto* const found = channel.if_contains("outcomes");
    if (found == nullptr || !found->is_object()) return shown;
    const auto planned = std::max<std::int64_t>(count_in(channel, "planned"), 1);
    double at = 0;
    for (const auto& part : bar_parts) {
        const auto count = count_in(found->get_object(), part.name);
        if (count == 0) continue;
        const auto share = 100 * static_cast<double>(count) / static_cast<double>(planned);
        View one;
        one.set("name", to_words(part.name));
        one.set("tone", std::string{part.tone});
        one.set("count", grouped(count));
        one.set("share", fmt::format("{:.1f}", share));
        one.set("x", fmt::format("{:.3f}", at));
        one.set("width", fmt::format("{:.3f}", share));
        shown << one;
        at += share;
    }
    return shown;
}

}  // namespace

bool is_over(const json::object& job) {
    const auto state = text_in(job, "state");
    return state == "done" || state == "cancelled" || state == "failed";
}

std::int64_t settled_in(const json::object& job) {
    std::int64_t open = 0;
    for (const auto& channel : objects_in(job, "channels")) open += open_in(channel);
    return planned_in(job) - open;
}

View job_row(const json::object& job, const Pace* pace) {
    View row;
    const auto id = text_in(job, "id");
    row.set("id", id);
    row.set("short_id", id.substr(0, 8));
    row.set("title",
            first_seen({text_in(job, "title"), text_in(job, "subject"), text_in(job, "kind")}));
    put_all(row, job, {"system", "kind", "state", "failure"});
    row.set("is_replay", View{!text_in(job, "replay_of").empty()});
    put_moment(row, "created", text_in(job, "created_at"));
    const auto planned = count_in(job, "planned");
    const auto settled = count_in(job, "settled");
    put_progress(row, settled, planned);
    const auto failed = count_in(job, "failed");
    const auto unknown = count_in(job, "unknown");
    put(row, "failed", failed > 0 ? grouped(failed) : std::string{});
    put(row, "unknown", unknown > 0 ? grouped(unknown) : std::string{});
    put_pace(row, pace, planned - settled, is_over(job));
    return row;
}

View job_progress(const json::object& job, const Pace* pace) {
    View view;
    const auto planned = planned_in(job);
    const auto settled = settled_in(job);
    put_all(view, job, {"state"});
    put_progress(view, settled, planned);
    put_pace(view, pace, planned - settled, is_over(job));
    const auto rate = pace == nullptr ? std::nullopt : pace->per_second();
    put(view, "rate_plain", rate ? fmt::format("{:.1f}", *rate) : std::string{});
    View channels{View::type::list};
    for (const auto& channel : objects_in(job, "channels")) {
        View one;
        const auto all = count_in(channel, "planned");
        one.set("channel", text_in(channel, "channel"));
        put_progress(one, all - open_in(channel), all);
        one.set("outcomes", outcome_views(channel));
        const auto* const rates = channel.if_contains("rates");
        if (rates != nullptr && rates->is_object()) {
            const auto& shares = rates->get_object();
            one.set("opened", fmt::format("{:.1f} %", 100 * number_in(shares, "opened")));
            one.set("clicked", fmt::format("{:.1f} %", 100 * number_in(shares, "clicked")));
        }
        channels << one;
    }
    view.set("channels", channels);
    view.set("has_channels", View{planned > 0});
    return view;
}

View chosen_lines(const boost::json::object& told) {
    View lines{View::type::list};
    for (const auto& line : objects_in(told, "chosen")) {
        View one;
        one.set("channel", text_in(line, "channel"));
        one.set("outcome", to_words(text_in(line, "outcome")));
        one.set("reason", to_words(text_in(line, "reason")));
        one.set("people", grouped(count_in(line, "people")));
        lines << one;
    }
    return lines;
}

}  // namespace fanfare::console
