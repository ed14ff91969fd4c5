#include "producer/console/assets.hpp"
#include "producer/console/job_views.hpp"
#include "producer/console/pages.hpp"

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include <array>

namespace fanfare::console {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> done_words{
    {{"cancelled", "The job is cancelled. What was sent stays sent."},
     {"paused", "The job is held back: nothing new of it begins."},
     {"resumed", "The job goes on."},
     {"replayed", "The replay is on its way."}}};

Notice done_notice(const Visit& visit) {
    for (const auto& [word, sentence] : done_words) {
        if (visit.field("done") == word) return {std::string{sentence}};
    }
    return {};
}

std::string compose_path(const Visit& visit) {
    return "/console/jobs/" + percent_encoded(visit.call.param("id"));
}

Ask ask_for_job(const Visit& visit) {
    return {"GET", "/v1/jobs/" + percent_encoded(visit.call.param("id"))};
}

/// Of an object's scalars, as a list of names and values.
View pair_views(const json::object& from, std::string_view name) {
    View pairs{View::type::list};
    const auto* const found = from.if_contains({name.data(), name.size()});
    if (found == nullptr || !found->is_object()) return pairs;
    for (const auto& member : found->get_object()) {
        const std::string key{member.key().data(), member.key().size()};
        View pair;
        pair.set("name", key);
        pair.set("value", text_in(found->get_object(), key));
        pairs << pair;
    }
    return pairs;
}

/// People that a replay could serve once more, as far as they are known by their outcomes.
std::int64_t troubled_in(const json::object& job) {
    std::int64_t troubled = 0;
    for (const auto& channel : objects_in(job, "channels")) {
        const auto* const outcomes = channel.if_contains("outcomes");
        if (outcomes == nullptr || !outcomes->is_object()) continue;
        for (const auto* const name : {"failed", "refused", "expired", "unknown"}) {
            troubled += count_in(outcomes->get_object(), name);
        }
    }
    return troubled;
}

void put_pause(View& view, const Answer& pauses, const std::string& id) {
    view.set("pause", View{false});
    for (const auto& line : objects_in(pauses.object(), "pauses")) {
        if (text_in(line, "job") != id) continue;
        View pause;
        put_all(pause, line, {"who", "because"});
        put_moment(pause, "since", text_in(line, "since"));
        put_moment(pause, "until", text_in(line, "until"));
        view.set("pause", pause);
    }
}

std::string compose_heading(const json::object& job) {
    return first_seen({text_in(job, "title"), text_in(job, "kind")});
}

void put_facts(View& view, const json::object& job) {
    put_all(view, job,
            {"id", "system", "kind", "subject", "title", "source", "lane", "state", "failure",
             "template_version", "replay_of"});
    for (const auto* const name : {"created", "planned", "finished", "expires", "dropped"}) {
        put_moment(view, fmt::format("{}_at", name), text_in(job, fmt::format("{}_at", name)));
    }
    view.set("heading", compose_heading(job));
    view.set("incomplete", View{flag_in(job, "incomplete")});
    const auto left_out = count_in(job, "left_out");
    put(view, "left_out", left_out > 0 ? grouped(left_out) : std::string{});
    view.set("data", pair_views(job, "data"));
    const auto* const audience = job.if_contains("audience");
    put(view, "audience", audience == nullptr ? std::string{} : json::serialize(*audience));
    View replays{View::type::list};
    for (const auto& each : objects_in(job, "replays")) {
        View one;
        one.set("id", text_in(each, "job"));
        one.set("short_id", text_in(each, "job").substr(0, 8));
        one.set("people", grouped(count_in(each, "people")));
        replays << one;
    }
    view.set("replays", replays);
    view.set("has_replays", View{!objects_in(job, "replays").empty()});
}

asio::awaitable<HttpReply> show_job(const PageContext& context, const Visit& visit, Notice notice) {
    const auto ask = ask_for_job(visit);
    const auto answer = co_await context.ask(visit.who, ask);
    Page page{"job.html", "Job", "jobs", {}, std::move(notice)};
    if (!answer.is_good()) {
        page.file = "refused.html";
        page.notice = to_notice(answer);
        co_return context.show(visit, std::move(page));
    }
    const auto& job = answer.object();
    const Ask ask_pauses{"GET", "/v1/pauses"};
    const auto pauses = co_await context.ask(visit.who, ask_pauses);
    auto& view = page.view;
    view = job_progress(job, nullptr);
    put_facts(view, job);
    put_pause(view, pauses, text_in(job, "id"));
    view.set("is_over", View{is_over(job)});
    const auto troubled = troubled_in(job);
    put(view, "troubled", troubled > 0 ? grouped(troubled) : std::string{});
    put(view, "live", is_over(job) ? "" : "/console/live/jobs/" + text_in(job, "id"));
    view.set("progress_file", kainjow::mustache::partial{[] { return asset("progress.html"); }});
    page.title = compose_heading(job);
    co_return context.show(visit, std::move(page));
}

asio::awaitable<HttpReply> show_job_done(const PageContext& context, const Visit& visit) {
    auto notice = done_notice(visit);
    co_return co_await show_job(context, visit, std::move(notice));
}

/// Says so where it was done; else the page with what stands against it.
asio::awaitable<HttpReply> act_on_job(const PageContext& context, const Visit& visit, Ask ask,
                                      std::string word) {
    const auto answer = co_await context.ask(visit.who, ask);
    if (answer.is_good()) co_return redirect(compose_path(visit) + "?done=" + word);
    auto notice = to_notice(answer);
    co_return co_await show_job(context, visit, std::move(notice));
}

asio::awaitable<HttpReply> cancel_job(const PageContext& context, const Visit& visit) {
    Ask ask{"POST", ask_for_job(visit).target + "/cancel"};
    return act_on_job(context, visit, std::move(ask), "cancelled");
}

asio::awaitable<HttpReply> pause_job(const PageContext& context, const Visit& visit) {
    const json::object body{{"job", std::string{visit.call.param("id")}},
                            {"because", visit.field("because")}};
    return act_on_job(context, visit, {"POST", "/v1/pauses", json::value(body)}, "paused");
}

asio::awaitable<HttpReply> resume_job(const PageContext& context, const Visit& visit) {
    Ask ask{"DELETE", "/v1/pauses?job=" + percent_encoded(visit.call.param("id"))};
    return act_on_job(context, visit, std::move(ask), "resumed");
}

/// Why people of it failed: what the dry run of a replay of all of them says.
asio::awaitable<HttpReply> reasons(const PageContext& context, const Visit& visit) {
    const json::object body{{"jobs", json::array{std::string{visit.call.param("id")}}},
                            {"outcomes", json::array{"failed", "refused", "expired", "unknown"}},
                            {"include_unknown", true},
                            {"dry_run", true}};
    const Ask ask{"POST", "/v1/replays", json::value(body)};
    const auto answer = co_await context.ask(visit.who, ask);
    View view;
    put(view, "fault", answer.is_good() ? std::string{} : answer.complaint());
    const auto lines = chosen_lines(answer.object());
    view.set("lines", lines);
    view.set("has_lines", View{lines.is_non_empty_list()});
    co_return html_reply(200, rendered("reasons.html", view));
}

/// One job's progress, again and again.
class LiveJob {
public:
    LiveJob(const PageContext& context, api::Identity who, Ask ask)
        : context_{context}, who_{std::move(who)}, ask_{std::move(ask)} {}

    asio::awaitable<std::optional<std::string>> draw() {
        const auto answer = co_await context_.ask(who_, ask_);
        if (!answer.is_good()) co_return std::nullopt;
        pace_.sample(context_.clock().steady_now(), settled_in(answer.object()));
        co_return rendered("progress.html", job_progress(answer.object(), &pace_));
    }

private:
    const PageContext& context_;
    api::Identity who_;
    Ask ask_;
    Pace pace_;
};

asio::awaitable<HttpReply> follow_job(const PageContext& context, LiveSlots& slots,
                                      const Visit& visit) {
    const auto job = std::make_shared<LiveJob>(context, visit.who, ask_for_job(visit));
    co_return live_reply(slots, [job] { return job->draw(); });
}

}  // namespace

void add_job_pages(Pages& pages) {
    const auto& context = pages.context();
    auto& slots = pages.slots();
    const auto bound = [&context](auto serve) {
        return [&context, serve](const Visit& visit) { return serve(context, visit); };
    };
    pages.get("/console/jobs/{id}", bound(show_job_done));
    pages.get_part("/console/jobs/{id}/reasons", bound(reasons));
    pages.get_part("/console/live/jobs/{id}", [&context, &slots](const Visit& visit) {
        return follow_job(context, slots, visit);
    });
    pages.post("/console/jobs/{id}/cancel", bound(cancel_job));
    pages.post("/console/jobs/{id}/pause", bound(pause_job));
    pages.post("/console/jobs/{id}/resume", bound(resume_job));
}

}  // namespace fanfare::console
