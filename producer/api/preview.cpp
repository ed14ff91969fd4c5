#include "producer/api/preview.hpp"

#include "core/rendering/preview_renderer.hpp"
#include "core/rendering/segments.hpp"
#include "core/settings/text_rules.hpp"
#include "core/wire/job_json.hpp"
#include "core/wire/trace_context.hpp"
#include "producer/api/create_job.hpp"
#include "producer/api/fields.hpp"
#include "producer/api/own_templates.hpp"
#include "producer/api/reply.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

json::object to_document(Channel channel, const RenderedPreview& written) {
    json::object document{{"channel", text(to_string(channel))}, {"locale", written.locale}};
    switch (channel) {
        case Channel::email:
            document["subject"] = written.subject;
            document["text"] = written.text;
            document["html"] = text_or_null(written.html);
            break;
        case Channel::sms: {
            const auto segments = count_segments(written.text);
            document["text"] = written.text;
            document["segments"] = segments.count;
            document["encoding"] = segments.unicode ? "UCS-2" : "GSM-7";
            break;
        }
        case Channel::push: {
            document["title"] = written.subject;
            document["body"] = written.text;
            json::object payload;
            for (const auto& [name, value] : written.data) payload[name] = value;
            document["data"] = std::move(payload);
            break;
        }
    }
    return document;
}

/// The place in the template without the folder it is in.
HttpReply unrenderable(const ApiContext& parts, const Failure& failure) {
    auto detail = failure.doing;
    const auto folder = parts.settings.templates_dir.string() + "/";
    if (const auto at = detail.find(folder); at != std::string::npos) {
        detail.erase(at, folder.size());
    }
    return refusal(422, "unrenderable", detail);
}

/// The texts that the body brings along, or those that the owner's jobs would say now.
asio::awaitable<std::variant<Templates, HttpReply>> templates_for(const ApiContext& parts,
                                                                  const Fields& fields,
                                                                  ledger::TemplatesKey key,
                                                                  const Kind& kind) {
    if (fields.find("parts") == nullptr) {
        auto now = co_await templates_now(parts, std::move(key), kind);
        if (!now) co_return unavailable(now.error());
        co_return std::move(now.value());
    }
    auto read = read_parts(fields);
    if (auto* const reply = std::get_if<HttpReply>(&read)) co_return std::move(*reply);
    Problems problems;
    auto own = parts.templates.with_own(kind.templates, std::get<OwnParts>(read), "", problems);
    if (!problems.empty()) co_return refusal_of_parts(problems);
    co_return own;
}

asio::awaitable<HttpReply> preview(const ApiContext& parts, const HttpCall& call,
                                   const Caller& caller) {
    Fields fields{call.body,
                  {"system", "kind", "channel", "locale", "time_zone", "data", "person", "parts"}};
    const auto system_name = fields.text("system", 40);
    const auto kind_name = fields.text("kind", 100);
    const auto channel = parse_channel(fields.text("channel", 10));
    const Reader reader{fields.text_or("locale", 60, ""), fields.text_or("time_zone", 60, ""),
                        fields.scalars("person")};
    const auto data = fields.scalars("data");
    if (auto fault = fields.fault()) co_return std::move(*fault);
    if (!channel) co_return refusal(422, "unknown_channel", "/channel: send email, sms or push");
    if (auto denial = denied(caller, system_name)) co_return std::move(*denial);
    const auto system = parts.systems.find(system_name);
    if (system == parts.systems.end()) {
        co_return refusal(422, "unknown_system", "/system: is not served here");
    }
    const auto* const kind = system->second.find_kind(kind_name);
    if (kind == nullptr) co_return refusal(422, "unknown_kind", "/kind: is no kind of the system");
    if (!parts.templates.has(kind->templates, *channel)) {
        co_return refusal(422, "unknown_template", "/channel: the kind has no templates for it");
    }
    ledger::TemplatesKey key{system_name, kind_name, caller.owner};
    const auto chosen = co_await templates_for(parts, fields, std::move(key), *kind);
    if (const auto* const reply = std::get_if<HttpReply>(&chosen)) co_return *reply;
    const auto& templates = std::get<Templates>(chosen);
    const auto& base = parts.settings.callback_url;
    const std::string link = base.empty() || kind->list.empty() ? "" : base + "/u/preview";
    const auto written =
        render_preview(templates, *kind, *channel, data, reader, link, parts.clock.now());
    if (!written) co_return unrenderable(parts, written.error());
    const auto document = to_document(*channel, written.value());
    co_return reply_with(200, document);
}

/// A job for one person, as an order is written: what was said of it stays as it was said.
JsonValue read_order(const Fields& fields) {
    using Shape = JsonValue::Shape;
    JsonValue job{.shape = Shape::object, .text = {}, .keys = {}, .items = {}};
    const auto say = [&job](std::string_view name, JsonValue value) {
        job.keys.emplace_back(name);
        job.items.push_back(std::move(value));
    };
    for (const auto* const name : {"system", "kind", "channels", "data"}) {
        if (const auto* const value = fields.find(name)) say(name, *value);
    }
    const JsonValue people{Shape::array, {}, {}, {*fields.find("recipient")}};
    say("audience", {Shape::object, {}, {"recipients"}, {people}});
    say("lane", {Shape::string, "urgent", {}, {}});
    say("ttl_s", {Shape::number, "600", {}, {}});
    return job;
}

asio::awaitable<HttpReply> test_send(const ApiContext& parts, const HttpCall& call,
                                     const Caller& caller) {
    Fields fields{call.body, {"system", "kind", "recipient", "channels", "data"}};
    static_cast<void>(fields.text("recipient", Job::id_bytes_max));
    if (auto fault = fields.fault()) co_return std::move(*fault);
    const auto key = read_idempotency_key(call);
    if (const auto* const reply = std::get_if<HttpReply>(&key)) co_return *reply;
    auto read =
        read_order(read_order(fields), {std::get<std::string>(key), ""}, caller, parts.known());
    if (auto* const reply = std::get_if<HttpReply>(&read)) co_return std::move(*reply);
    auto& order = std::get<Order>(read);
    order.trace = read_trace(call.headers);
    co_return co_await create_job(parts, caller, order);
}

}  // namespace

void add_preview_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    const auto bound = [&parts](auto serve) {
        return [&parts, serve](const HttpCall& call, const Caller& caller) {
            return serve(parts, call, caller);
        };
    };
    routes.post("/v1/preview", Scope::preview, bound(preview));
    routes.post("/v1/test-sends", Scope::publish, bound(test_send));
}

}  // namespace fanfare::api
