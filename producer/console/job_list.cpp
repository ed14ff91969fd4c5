#include "producer/console/assets.hpp"
#include "producer/console/job_views.hpp"
#include "producer/console/pages.hpp"

#include <fmt/format.h>

#include <array>
#include <map>

namespace fanfare::console {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr int jobs_on_a_page = 50;
constexpr std::array<std::string_view, 5> job_states{"planning", "sending", "done", "cancelled",
                                                     "failed"};
constexpr std::array<std::string_view, 4> job_filters{"system", "kind", "state", "has_failures"};

/// The query of the API, and of this page, that the filters of a visit make; "" or "a=b&c=d".
std::string compose_jobs_query(const Visit& visit) {
    std::string query;
    for (const auto name : job_filters) {
        const auto value = visit.field(name);
        if (value.empty()) continue;
        query.append(
            fmt::format("{}{}={}", query.empty() ? "" : "&", name, percent_encoded(value)));
    }
    return query;
}

std::string joined(std::string query, std::string_view name, const std::string& value) {
    if (value.empty()) return query;
    return query.append(
        fmt::format("{}{}={}", query.empty() ? "" : "&", name, percent_encoded(value)));
}

using Paces = std::map<std::string, Pace, std::less<>>;

View row_views(const json::object& document, const PageContext& context, Paces* paces) {
    View rows{View::type::list};
    for (const auto& job : objects_in(document, "jobs")) {
        const Pace* pace = nullptr;
        if (paces != nullptr) {
            auto& known = (*paces)[text_in(job, "id")];
            known.sample(context.clock().steady_now(), count_in(job, "settled"));
            pace = &known;
        }
        rows << job_row(job, pace);
    }
    return rows;
}

asio::awaitable<HttpReply> list_jobs(const PageContext& context, const Visit& visit) {
    const auto query = compose_jobs_query(visit);
    const auto cursor = visit.field("cursor");
    const auto asked =
        joined(joined(query, "cursor", cursor), "limit", std::to_string(jobs_on_a_page));
    const Ask ask{"GET", "/v1/jobs?" + asked};
    const auto answer = co_await context.ask(visit.who, ask);
    Page page{"jobs.html", "Jobs", "jobs", {}};
    auto& view = page.view;
    for (const auto name : job_filters) put(view, std::string{name}, visit.field(name));
    view.set("states", option_views(job_states, visit.field("state")));
    view.set("is_filtered", View{!query.empty()});
    view.set("rows", row_views(answer.object(), context, nullptr));
    view.set("has_rows", View{!objects_in(answer.object(), "jobs").empty()});
    view.set("rows_file", kainjow::mustache::partial{[] { return asset("job_rows.html"); }});
    put(view, "live", cursor.empty() ? "/console/live/jobs?" + query : "");
    put(view, "first_page", cursor.empty() ? "" : "/console/jobs?" + query);
    const auto next = text_in(answer.object(), "next_cursor");
    put(view, "next_page", next.empty() ? "" : "/console/jobs?" + joined(query, "cursor", next));
    if (!answer.is_good()) page.notice = to_notice(answer);
    co_return context.show(visit, std::move(page));
}

/// The rows of the first page, again and again.
class LiveRows {
public:
    LiveRows(const PageContext& context, api::Identity who, const std::string& query)
        : context_{context},
          who_{std::move(who)},
          ask_{"GET", "/v1/jobs?" + joined(query, "limit", std::to_string(jobs_on_a_page))} {}

    asio::awaitable<std::optional<std::string>> draw() {
        const auto answer = co_await context_.ask(who_, ask_);
        if (!answer.is_good()) co_return std::nullopt;
        View view;
        if (paces_.size() > 10 * jobs_on_a_page) paces_.clear();
        view.set("rows", row_views(answer.object(), context_, &paces_));
        co_return rendered("job_rows.html", view);
    }

private:
    const PageContext& context_;
    api::Identity who_;
    Ask ask_;
    Paces paces_;
};

asio::awaitable<HttpReply> follow_jobs(const PageContext& context, LiveSlots& slots,
                                       const Visit& visit) {
    const auto rows = std::make_shared<LiveRows>(context, visit.who, compose_jobs_query(visit));
    co_return live_reply(slots, [rows] { return rows->draw(); });
}

}  // namespace

void add_job_list_pages(Pages& pages) {
    const auto& context = pages.context();
    auto& slots = pages.slots();
    pages.get("/console/jobs",
              [&context](const Visit& visit) { return list_jobs(context, visit); });
    pages.get_part("/console/live/jobs", [&context, &slots](const Visit& visit) {
        return follow_jobs(context, slots, visit);
    });
}

}  // namespace fanfare::console
