#include "producer/console/pages.hpp"

#include "core/wire/timestamp.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

namespace fanfare::console {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::string_view field_prefix{"v."};
using Values = std::map<std::string, std::string, std::less<>>;

/// What a variable could say, where no job of the kind tells.
std::string sample_value(const std::string& name, const Clock& clock) {
    static const Values samples{{"username", "Mira"},
                                {"title", "Friday Night Live"},
                                {"body", "Doors open at seven. See you there!"},
                                {"message", "Bring water and a towel."},
                                {"ticket_number", "A-1042"},
                                {"coins", "250"},
                                {"workout_type", "Yoga"},
                                {"starts_at_zone", "Europe/Berlin"}};
    if (const auto found = samples.find(name); found != samples.end()) return found->second;
    if (name.ends_with("_at")) return format_timestamp(clock.now() + std::chrono::minutes{15});
    if (name == "link" || name.ends_with("url")) return "https://example.com/show";
    return to_words(name);
}

/// Made by Fanfare, or the person's own: not the job's to say.
bool is_made(std::string_view name) {
    return name == "starts_in" || name == "starts_at_there" || name == "unsubscribe_url" ||
           name == "name";
}

/// The languages that texts are there in, by the names of their parts: "sms.de.text".
std::set<std::string> list_locales(const json::object& templates) {
    std::set<std::string> locales;
    for (const auto* const set : {"defaults", "parts"}) {
        const auto* const parts = templates.if_contains(set);
        if (parts == nullptr || !parts->is_object()) continue;
        for (const auto& member : parts->get_object()) {
            const std::string_view name{member.key().data(), member.key().size()};
            const auto first = name.find('.');
            const auto last = name.rfind('.');
            if (first == std::string_view::npos) continue;
            locales.emplace(first == last ? "" : name.substr(first + 1, last - first - 1));
        }
    }
    return locales;
}

std::string kind_target(const Visit& visit) {
    return fmt::format("/v1/templates/{}/{}", percent_encoded(visit.call.param("system")),
                       percent_encoded(visit.call.param("kind")));
}

/// The data of the latest job of the kind, or made up; what the visitor typed counts first.
asio::awaitable<Values> values_for(const PageContext& context, const Visit& visit,
                                   const json::object& templates) {
    Values values;
    const Ask latest{"GET", fmt::format("/v1/jobs?limit=1&system={}&kind={}",
                                        percent_encoded(visit.call.param("system")),
                                        percent_encoded(visit.call.param("kind")))};
    const auto jobs = co_await context.ask(visit.who, latest);
    json::object known;
    for (const auto& job : objects_in(jobs.object(), "jobs")) {
        const Ask one{"GET", "/v1/jobs/" + text_in(job, "id")};
        const auto found = co_await context.ask(visit.who, one);
        const auto* const data = found.object().if_contains("data");
        if (data != nullptr && data->is_object()) known = data->get_object();
    }
    std::vector<std::string> names;
    if (const auto* const list = templates.if_contains("variables"); list && list->is_array()) {
        for (const auto& name : list->get_array()) {
            if (name.is_string()) names.emplace_back(name.get_string().c_str());
        }
    }
    for (const auto& name : names) {
        if (is_made(name)) continue;
        auto value = text_in(known, name);
        values[name] = value.empty() && name != "brand" ? sample_value(name, context.clock())
                                                        : std::move(value);
    }
    for (const auto& [name, value] : visit.form) {
        if (!name.starts_with(field_prefix)) continue;
        values[name.substr(field_prefix.size())] = value;
    }
    co_return values;
}

Ask ask_preview(const Visit& visit, std::string_view channel, const std::string& locale,
                const Values& values) {
    json::object data;
    for (const auto& [name, value] : values) {
        if (!value.empty()) data[name] = value;
    }
    json::object body{{"system", std::string{visit.call.param("system")}},
                      {"kind", std::string{visit.call.param("kind")}},
                      {"channel", std::string{channel}},
                      {"person", json::object{{"name", "Ana"}}},
                      {"data", std::move(data)}};
    if (!locale.empty()) body["locale"] = locale;
    return {"POST", "/v1/preview", json::value(std::move(body))};
}

std::string compose_query(const Values& values, const std::string& locale) {
    auto query = "locale=" + percent_encoded(locale);
    for (const auto& [name, value] : values) {
        query.append(fmt::format("&v.{}={}", percent_encoded(name), percent_encoded(value)));
    }
    return query;
}

View written_view(const Answer& answer, const std::string& locale) {
    View one;
    const auto& written = answer.object();
    auto named = text_in(written, "locale");
    if (named.empty()) named = locale.empty() ? "default" : locale;
    one.set("locale", named);
    put(one, "fault", answer.is_good() ? std::string{} : answer.complaint());
    put_all(one, written, {"subject", "text", "title", "body", "encoding"});
    const auto segments = count_in(written, "segments");
    put(one, "segments", segments > 0 ? std::to_string(segments) : std::string{});
    one.set("is_long", View{segments > 1});
    one.set("has_html", View{!text_in(written, "html").empty()});
    return one;
}

View input_views(const Values& values) {
    View inputs{View::type::list};
    for (const auto& [name, value] : values) {
        View input;
        input.set("name", name);
        put(input, "value", value);
        inputs << input;
    }
    return inputs;
}

asio::awaitable<HttpReply> show_template(const PageContext& context, const Visit& visit) {
    const Ask ask{"GET", kind_target(visit)};
    const auto templates = co_await context.ask(visit.who, ask);
    Page page{"template.html", std::string{visit.call.param("kind")}, "templates", {}};
    auto& view = page.view;
    put(view, "system", std::string{visit.call.param("system")});
    put(view, "kind", std::string{visit.call.param("kind")});
    if (!templates.is_good() || !visit.who.has(Scope::preview)) {
        page.file = "refused.html";
        page.notice = to_notice(templates);
        if (templates.is_good()) {
            page.notice = {"The token lacks the scope preview, which shows texts.", true, 403};
        }
        co_return context.show(visit, std::move(page));
    }
    const auto values = co_await values_for(context, visit, templates.object());
    const auto path =
        fmt::format("/console/templates/{}/{}/email?", percent_encoded(visit.call.param("system")),
                    percent_encoded(visit.call.param("kind")));
    const auto locales = list_locales(templates.object());
    for (const auto channel : channel_words) {
        View list{View::type::list};
        for (const auto& locale : locales) {
            const auto wanted = ask_preview(visit, channel, locale, values);
            const auto answer = co_await context.ask(visit.who, wanted);
            if (text_in(answer.object(), "code") == "unknown_template") break;
            auto one = written_view(answer, locale);
            one.set("frame", path + compose_query(values, locale));
            list << one;
        }
        view.set(std::string{channel}, list);
        view.set(fmt::format("has_{}", channel), View{list.is_non_empty_list()});
    }
    view.set("inputs", input_views(values));
    put_all(view, templates.object(), {"version", "saved_by"});
    co_return context.show(visit, std::move(page));
}

/// The mail alone, as it is written, for a frame that runs nothing and loads nothing.
asio::awaitable<HttpReply> show_email(const PageContext& context, const Visit& visit) {
    Values values;
    for (const auto& [name, value] : visit.form) {
        if (name.starts_with(field_prefix)) values[name.substr(field_prefix.size())] = value;
    }
    const auto ask = ask_preview(visit, "email", visit.field("locale"), values);
    const auto answer = co_await context.ask(visit.who, ask);
    auto reply = html_reply(answer.status, text_in(answer.object(), "html"));
    if (!answer.is_good()) {
        reply.content_type = "text/plain; charset=utf-8";
        reply.body = answer.complaint();
    }
    for (auto& [name, value] : reply.headers) {
        if (name == "Content-Security-Policy") {
            value =
                "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; "
                "frame-ancestors 'self'; form-action 'none'; base-uri 'none'";
        }
        if (name == "X-Frame-Options") value = "SAMEORIGIN";
    }
    co_return reply;
}

asio::awaitable<HttpReply> list_templates(const PageContext& context, const Visit& visit) {
    const Ask ask{"GET", "/v1/templates"};
    const auto answer = co_await context.ask(visit.who, ask);
    Page page{"templates.html", "Templates", "templates", {}};
    View lines{View::type::list};
    for (const auto& each : objects_in(answer.object(), "templates")) {
        View line;
        put_all(line, each, {"system", "kind", "version", "saved_by"});
        put_moment(line, "saved_at", text_in(each, "saved_at"));
        line.set("path",
                 fmt::format("/console/templates/{}/{}", percent_encoded(text_in(each, "system")),
                             percent_encoded(text_in(each, "kind"))));
        lines << line;
    }
    page.view.set("lines", lines);
    page.view.set("has_lines", View{lines.is_non_empty_list()});
    if (!answer.is_good()) page.notice = to_notice(answer);
    co_return context.show(visit, std::move(page));
}

}  // namespace

void add_template_pages(Pages& pages) {
    const auto& context = pages.context();
    const auto bound = [&context](auto serve) {
        return [&context, serve](const Visit& visit) { return serve(context, visit); };
    };
    pages.get("/console/templates", bound(list_templates));
    pages.get("/console/templates/{system}/{kind}", bound(show_template));
    pages.get_part("/console/templates/{system}/{kind}/email", bound(show_email));
}

}  // namespace fanfare::console
