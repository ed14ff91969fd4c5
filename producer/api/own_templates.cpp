#include "producer/api/own_templates.hpp"

#include "core/wire/job_rejection.hpp"
#include "producer/api/reply.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <pqxx/nontransaction>

#include <algorithm>
#include <set>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::size_t errors_max = 100;
constexpr std::string_view unsubscribe_url = "unsubscribe_url";

using Names = std::set<std::string, std::less<>>;

std::vector<std::string> list_names(const Names& names) { return {names.begin(), names.end()}; }

/// "starts_at" -> "starts_in"; "" for a moment that has no such twin.
std::string time_left(std::string_view moment) {
    if (!moment.ends_with("_at")) return {};
    return fmt::format("{}_in", moment.substr(0, moment.size() - 3));
}

}  // namespace

KnownVariables known_variables(const Templates& shipped, const Kind& kind, Channel channel,
                               std::span<const std::string> columns) {
    Names needed;
    Names optional;
    for (const auto each : channels) {
        for (const auto& name : shipped.needed_variables(kind.templates, each)) {
            needed.insert(name);
        }
        for (const auto& name : shipped.variables(kind.templates, each)) optional.insert(name);
    }
    Names personal;
    for (const auto& column : columns) {
        if (!is_reserved_column(column)) personal.insert(column);
    }
    for (const auto& [name, text] : kind.person_defaults) personal.insert(name);
    for (const auto& moment : kind.times) {
        const auto left = time_left(moment);
        if (!needed.contains(moment) && !needed.contains(left)) continue;
        personal.insert(moment);
        if (!left.empty()) needed.insert(left);
    }
    // The worker gives it to everyone or to nobody, unless it is the system's own.
    const bool is_list_mail = channel == Channel::email && !kind.list.empty();
    if (is_list_mail && !personal.contains(unsubscribe_url)) {
        optional.insert(std::string{unsubscribe_url});
    }
    std::erase_if(needed, [&](const auto& name) { return personal.contains(name); });
    std::erase_if(optional, [&](const auto& name) {
        return personal.contains(name) || needed.contains(name);
    });
    return {list_names(needed), list_names(personal), list_names(optional)};
}

std::variant<OwnParts, HttpReply> read_parts(const Fields& fields) {
    const auto refused = [](std::string_view code, std::string_view name, std::string_view why) {
        const auto where = name.empty() ? std::string{"/parts"} : point_to("/parts", name);
        return refusal(reject(code, where, why));
    };
    const auto* const value = fields.find("parts");
    if (value == nullptr) return refused("missing_field", "", "is missing; send it");
    if (!value->is_object()) return refused("wrong_type", "", "is no object");
    if (value->keys.empty()) {
        return refused("invalid_value", "", "is empty; to have the shipped texts back, DELETE");
    }
    if (value->keys.size() > own_parts_max) {
        return refused("invalid_value", "", fmt::format("has more than {} parts", own_parts_max));
    }
    OwnParts parts;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < value->keys.size(); ++i) {
        const auto& text = value->items[i];
        if (!text.is_string()) return refused("wrong_type", value->keys[i], "is no text");
        bytes += text.text.size();
        parts.emplace(value->keys[i], text.text);
    }
    if (bytes > own_bytes_max) {
        return refused("invalid_value", "",
                       fmt::format("is {} bytes of text; at most {}", bytes, own_bytes_max));
    }
    return parts;
}

HttpReply refusal_of_parts(const Problems& problems) {
    json::array errors;
    for (const auto& each : problems) {
        if (errors.size() == errors_max) break;
        const auto found = each.value.empty() ? std::string{"missing"} : each.value;
        json::object error{{"pointer", point_to("/parts", each.file)},
                           {"detail", fmt::format("{}: expected {}", found, each.expected)}};
        if (each.line > 0) {
            error["line"] = each.line;
            error["column"] = each.column;
        }
        errors.push_back(std::move(error));
    }
    auto reply =
        refusal(422, "invalid_template",
                fmt::format("{} {} with these templates; nothing was saved.", problems.size(),
                            problems.size() == 1 ? "thing is wrong" : "things are wrong"));
    auto document = json::parse(reply.body).as_object();
    document["errors"] = std::move(errors);
    reply.body = json::serialize(document);
    return reply;
}

Columns contact_columns(postgres::Connection& source, const System& system) {
    Columns columns;
    for (const auto channel : channels) {
        const auto& contact = system.contacts[static_cast<std::size_t>(channel)];
        if (!contact) continue;
        pqxx::nontransaction work{source.raw()};
        const auto nobody = work.exec_params(contact->query.sql, "{}");
        for (pqxx::row::size_type i = 0; i < nobody.columns(); ++i) {
            columns[static_cast<std::size_t>(channel)].emplace_back(nobody.column_name(i));
        }
    }
    return columns;
}

asio::awaitable<Result<Templates>> templates_now(const ApiContext& parts, ledger::TemplatesKey key,
                                                 const Kind& kind) {
    auto look = [&](postgres::Connection& connection) -> Result<Templates> {
        const auto found = ledger::current_templates(connection, key);
        if (!found) return parts.templates;
        Problems problems;
        auto own = parts.templates.with_own(kind.templates, found->parts, "", problems);
        if (problems.empty()) return own;
        return fail(Errc::template_invalid, "use own templates: " + for_log(problems.front()));
    };
    std::string doing{"look up own templates"};
    auto found = co_await parts.reading.run(std::move(doing), look);
    if (!found) co_return found.error();
    co_return std::move(found.value());
}

}  // namespace fanfare::api
