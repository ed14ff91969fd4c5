#include "core/orders/order_rules.hpp"

#include "core/audience/channels.hpp"
#include "core/audience/reach.hpp"
#include "core/orders/recent_answers.hpp"
#include "core/postgres/halving.hpp"
#include "core/rendering/layout.hpp"
#include "core/rendering/program.hpp"
#include "core/settings/text_rules.hpp"
#include "core/wire/job_rejection.hpp"
#include "core/wire/timestamp.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace fanfare {
namespace {

using Names = std::span<const std::string>;

bool contains(Names names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<Rejection> check_moments(const Job& job, const Kind& kind) {
    for (const auto& name : kind.times) {
        const auto found = job.data.find(name);
        const bool is_sound =
            found == job.data.end() || found->second.empty() || parse_time_or_utc(found->second);
        if (is_sound) continue;
        return reject("invalid_timestamp", point_to("/data", name),
                      "is no moment; send ISO 8601 with a zone, such as 2026-11-20T19:30:00Z");
    }
    return std::nullopt;
}

/// Below the folder of templates: where that stands is nobody's business.
std::string_view within_templates(std::string_view file, std::string_view folder) {
    auto at = file.rfind(layouts_folder);
    if (at == std::string_view::npos) at = file.rfind(folder);
    return at == std::string_view::npos ? file : file.substr(at);
}

/// "{{#nmae}}" -> nmae.
std::string_view variable_in(std::string_view tag) {
    const auto begin = tag.find_first_not_of("{&#^/ ");
    if (begin == std::string_view::npos) return {};
    return tag.substr(begin, tag.find_first_of("} ", begin) - begin);
}

Rejection to_rejection(const Problem& problem, std::string_view folder, Names shared,
                       Names personal) {
    const auto file = within_templates(problem.file, folder);
    const auto name = variable_in(problem.value);
    const bool is_missing =
        is_variable_name(name) && !contains(shared, name) && !contains(personal, name);
    if (!is_missing) {
        return reject("unrenderable", "",
                      fmt::format("cannot be written: {}:{}: {}: expected {}", file, problem.line,
                                  problem.value, problem.expected));
    }
    return reject("missing_variable", point_to("/data", name),
                  fmt::format("is missing: {}:{} writes it; expected {}", file, problem.line,
                              problem.expected));
}

/// Whether PostgreSQL takes such values.
bool takes(postgres::Connection& source, const std::string& sql,
           const std::vector<const char*>& values) {
    try {
        pqxx::nontransaction work{source.raw()};
        work.exec_params(sql, pqxx::prepare::make_dynamic_params(values.begin(), values.end()));
        return true;
    } catch (const pqxx::sql_error& fault) {
        // Any other error is not the value's.
        const auto& state = fault.sqlstate();
        if (!source.is_open() || !(state.starts_with("22") || state.starts_with("23"))) throw;
        return false;
    }
}

/// A name of a type at the beginning of a text, as far as its first word tells it.
std::string_view type_at(std::string_view text) {
    constexpr std::string_view letters{
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_."};
    const auto end = std::min(text.find_first_not_of(letters), text.size());
    const bool is_list = text.substr(end, 2) == "[]";
    return text.substr(0, is_list ? end + 2 : end);
}

/// What the query casts a parameter to, plainly: "$2::text::timestamptz".
std::vector<std::string_view> find_casts(std::string_view sql, std::size_t number) {
    const auto cast = fmt::format("${}::text::", number);
    std::vector<std::string_view> types;
    for (auto at = sql.find(cast); at != std::string_view::npos; at = sql.find(cast, at + 1)) {
        if (const auto type = type_at(sql.substr(at + cast.size())); !type.empty()) {
            types.push_back(type);
        }
    }
    return types;
}

/// Whether all that the query does with a parameter is to look what equals its text, as its words
/// tell: then none of its values is at fault, unless the database compares other than texts.
bool is_only_compared(std::string_view sql, std::size_t number) {
    constexpr std::string_view spaces{" \t\n\r\f\v"};
    constexpr std::string_view operators{"+-*/<>=~!@#%^&|`?:"};
    const auto parameter = fmt::format("${}::text", number);
    for (auto at = sql.find(parameter); at != std::string_view::npos;
         at = sql.find(parameter, at)) {
        const auto before = sql.substr(0, at).find_last_not_of(spaces);
        if (before == std::string_view::npos || before == 0 || sql[before] != '=' ||
            operators.find(sql[before - 1]) != std::string_view::npos) {
            return false;
        }
        at += parameter.size();
        const auto after = std::min(sql.find_first_not_of(spaces, at), sql.size());
        const bool is_word = after > at && after < sql.size() &&
                             std::isalpha(static_cast<unsigned char>(sql[after])) != 0;
        if (after < sql.size() && sql[after] != ')' && !is_word) return false;
    }
    return true;
}

/// Whatever encoding a database has, it knows these.
bool is_plain_text(std::string_view value) {
    return std::all_of(value.begin(), value.end(),
                       [](unsigned char byte) { return byte > 0 && byte < 0x80; });
}

/// Whether a value alone is what the query casts it to. Planning the query does not tell of all:
/// what looks at a moment is only run where something is found to look at.
bool is_of_its_types(postgres::Connection& source, const Query& query, std::size_t index,
                     const char* value, RecentAnswers* recent) {
    if (recent != nullptr && is_only_compared(query.sql, index + 1) && is_plain_text(value) &&
        recent->takes_any_text(source, query, index)) {
        return true;
    }
    for (const auto type : find_casts(query.sql, index + 1)) {
        try {
            if (!takes(source, fmt::format("SELECT $1::text::{}", type), {value})) return false;
        } catch (const pqxx::sql_error&) {
            if (!source.is_open()) throw;  // Otherwise no type that is said so shortly.
        }
    }
    std::vector<const char*> alone(query.parameters.size(), nullptr);
    const auto plan = "EXPLAIN " + query.sql;  // Nothing is read.
    alone[index] = value;
    if (takes(source, plan, alone)) return true;
    // A query that fails without any value is not to blame on one.
    alone[index] = nullptr;
    return !takes(source, plan, alone);
}

std::optional<Rejection> check_parameters(postgres::Connection& source, const Telling& telling,
                                          RecentAnswers* recent) {
    const auto* const audience = telling.system.find_audience(telling.job.audience);
    if (!telling.job.recipients.empty() || audience == nullptr) return std::nullopt;
    const auto values = audience->values(telling.job.params);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] == nullptr ||
            is_of_its_types(source, audience->query, i, values[i], recent)) {
            continue;
        }
        const auto at = point_to("/audience/params", audience->query.parameters[i]);
        return reject(
            "invalid_parameter", at,
            fmt::format("is not of the type that the audience {} casts it to", audience->name));
    }
    return std::nullopt;
}

/// Whether the system knows somebody by another text than was sent: a UUID in capitals, 007. Their
/// word on what they want would not be found under it.
bool is_spelled_otherwise(postgres::Connection& source, const std::string& sql, const Job& job) {
    constexpr std::size_t asked_max = 5;
    pqxx::nontransaction work{source.raw()};
    const auto rows = work.exec_params(sql, postgres::to_array_literal(job.recipients));
    const auto column = find_column(rows, "recipient_id");
    if (!column) return false;
    std::set<std::string_view> known;
    bool has_strangers = false;
    for (const auto& row : rows) {
        const std::string_view id{row[*column].c_str(), row[*column].size()};
        known.insert(id);
        has_strangers =
            has_strangers || !std::binary_search(job.recipients.begin(), job.recipients.end(), id);
    }
    if (!has_strangers) return false;
    std::size_t asked = 0;
    for (const auto& recipient : job.recipients) {
        if (known.contains(recipient)) continue;
        if (++asked > asked_max) break;
        const std::vector<std::string> one{recipient};
        if (!find_only_id(work.exec_params(sql, postgres::to_array_literal(one))).empty())
            return true;
    }
    return false;
}

std::optional<Rejection> check_recipients(postgres::Connection& source, const Telling& telling) {
    if (telling.job.recipients.empty()) return std::nullopt;
    for (const auto channel : telling.job.channels) {
        const auto& contact = telling.system.contacts[static_cast<std::size_t>(channel)];
        if (!contact) continue;
        try {
            if (!is_spelled_otherwise(source, contact->query.sql, telling.job)) continue;
        } catch (const std::exception& fault) {
            if (!postgres::is_data_error(fault)) throw;
            continue;  // Of one that can be nobody's id: that costs nobody else the message.
        }
        return reject("invalid_recipient", "/audience/recipients",
                      "names somebody otherwise than the system does; send ids as its queries "
                      "write them, a UUID in small letters");
    }
    return std::nullopt;
}

}  // namespace

std::optional<Rejection> settle_order(Job& job, const Systems& systems,
                                      const Templates& templates) {
    if (auto rejection = resolve_job(job, systems)) return rejection;
    const auto& kind = *systems.find(job.system)->second.find_kind(job.kind);
    const auto has = [&](Channel channel) { return templates.has(kind.templates, channel); };
    if (auto rejection = check_channels(job, kind, has)) return rejection;
    return check_moments(job, kind);
}

std::variant<Job, Rejection> settle_record(EventHeaders headers, std::string_view payload,
                                           const Systems& systems, const Templates& templates) {
    auto decoded = decode_record(headers, payload);
    if (auto* const job = std::get_if<Job>(&decoded)) {
        if (auto rejection = settle_order(*job, systems, templates)) return std::move(*rejection);
    }
    return decoded;
}

std::vector<std::string> personal_names(const Kind& kind, Channel channel,
                                        std::vector<std::string> names,
                                        std::span<const NamedMoment> moments, bool has_links) {
    for (const auto& [name, moment] : moments) names.push_back(name);
    for (const auto& [name, text] : kind.person_defaults) {
        if (!contains(names, name)) names.push_back(name);
    }
    const bool is_linked = channel == Channel::email && has_links && !kind.list.empty();
    for (const auto link : whole_audience_variables) {
        if (is_linked && !contains(names, link)) names.emplace_back(link);
    }
    return names;
}

std::vector<std::string> personal_columns(const pqxx::result& contacts) {
    std::vector<std::string> names;
    for (pqxx::row::size_type i = 0; i < contacts.columns(); ++i) {
        const std::string_view name{contacts.column_name(i)};
        if (!is_reserved_column(name)) names.emplace_back(name);
    }
    return names;
}

std::optional<Rejection> check_texts(const Telling& telling, Channel channel, Names personal) {
    const auto& folder = telling.kind.templates;
    const auto moments = find_moments(telling.kind.times, telling.job.data);
    std::vector<std::string> shared;
    for (const auto& [name, value] :
         shared_variables(telling.job.data, moments, telling.now, channel, "")) {
        shared.push_back(name);
    }
    const auto problems = telling.templates.check(folder, channel, shared, personal);
    if (!problems.empty()) return to_rejection(problems.front(), folder, shared, personal);
    for (const auto& locale : telling.templates.locales(folder, channel)) {
        const auto variables =
            shared_variables(telling.job.data, moments, telling.now, channel, locale);
        const auto written = telling.templates.render(folder, channel, locale, variables, personal);
        if (written) continue;
        return reject(
            "unrenderable", "",
            fmt::format("cannot be written: {}", within_templates(written.error().doing, folder)));
    }
    return std::nullopt;
}

std::vector<std::string> columns_now(postgres::Connection& source, const System& system,
                                     Channel channel) {
    pqxx::nontransaction work{source.raw()};
    const auto& contact = *system.contacts[static_cast<std::size_t>(channel)];
    return personal_columns(work.exec_params(contact.query.sql, "{}"));
}

bool takes_odd_text(postgres::Connection& source, const Query& query, std::size_t parameter) {
    std::vector<const char*> alone(query.parameters.size(), nullptr);
    alone[parameter] = "~'no value of any type\\";
    return takes(source, "EXPLAIN " + query.sql, alone);
}

std::optional<Rejection> check_order(postgres::Connection& source, const Telling& telling,
                                     RecentAnswers* recent) {
    const auto& system = telling.system;
    const auto moments = find_moments(telling.kind.times, telling.job.data);
    for (const auto channel : channels_used(telling.job, telling.kind)) {
        if (!system.contacts[static_cast<std::size_t>(channel)]) continue;
        const auto check = [&](std::vector<std::string> columns) {
            return check_texts(telling, channel,
                               personal_names(telling.kind, channel, std::move(columns), moments,
                                              telling.has_links));
        };
        // A column may have come since.
        if (recent != nullptr && !check(recent->columns(source, system, channel))) continue;
        if (auto rejection = check(columns_now(source, system, channel))) return rejection;
    }
    if (auto rejection = check_recipients(source, telling)) return rejection;
    return check_parameters(source, telling, recent);
}

}  // namespace fanfare
