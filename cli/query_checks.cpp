#include "cli/query_checks.hpp"

#include "core/audience/contact_index.hpp"
#include "core/postgres/connection.hpp"
#include "core/postgres/words.hpp"
#include "core/settings/report.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <pqxx/nontransaction>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::cli {
namespace {

struct Column {
    const char* name;
    const char* type;
    bool required = true;
};

/// What PostgreSQL has against a statement. Its own sentence where it is about names and types,
/// which the statement itself has; ours where it may quote a value of a row.
std::string to_sentence(const pqxx::sql_error& fault) {
    const std::string_view text{fault.what()};
    const auto& state = fault.sqlstate();
    if (!state.starts_with("42") && !state.starts_with("0A")) {
        return postgres::words_of_state(state);
    }
    return one_line(text.substr(0, text.find('\n')), 300);
}

class QueryChecker {
public:
    QueryChecker(const System& system, const Settings& settings, Problems& problems,
                 Problems& advice)
        : system_{system},
          problems_{problems},
          advice_{advice},
          connection_{
              system.database.empty() ? settings.database.url : system.database,
              postgres::Limits{.statement_timeout = system.statement_timeout, .read_only = true}},
          horizon_s_{settings.producer.horizon.count()} {}

    void run() {
        for (const auto& [name, audience] : system_.audiences) {
            check(audience.query, "audiences." + name, {{"recipient_id", "text"}});
        }
        for (const auto channel : channels) {
            const auto i = static_cast<std::size_t>(channel);
            if (const auto& contact = system_.contacts[i]) {
                const auto key = fmt::format("contacts.{}", to_string(channel));
                const bool sound = check(contact->query, key,
                                         {{"recipient_id", "text"},
                                          {"address", "text"},
                                          {"opted_out", "boolean", false}});
                if (sound && !contact->relation.empty()) advise(*contact, key);
            }
            if (const auto& query = system_.write_backs[i]) {
                explain(*query, fmt::format("write_backs.{}", to_string(channel)));
            }
        }
        for (const auto& [kind, query] : system_.done) explain(query, "write_backs.done." + kind);
        for (const auto& schedule : system_.schedules) check_schedule(schedule);
    }

private:
    void differ(const Query& query, int line, const std::string& key, std::string value,
                std::string expected) {
        problems_.push_back(
            {query.file, query.line + line, key, std::move(value), std::move(expected), 0});
    }

    /// Runs a statement that is given the query; nothing when PostgreSQL does not take it.
    std::optional<pqxx::result> ask(const Query& query, const std::string& key,
                                    const std::string& sql,
                                    const std::vector<const char*>& values) {
        try {
            pqxx::nontransaction work{connection_.raw()};
            return work.exec_params(
                sql, pqxx::prepare::make_dynamic_params(values.begin(), values.end()));
        } catch (const pqxx::sql_error& fault) {
            if (!connection_.is_open()) throw;
            const std::string_view text{fault.what()};
            const bool writes = fault.sqlstate() == "25006" ||
                                text.find("data-modifying") != std::string_view::npos;
            differ(query, std::max(postgres::line_in(text), 1) - 1, key, "(query)",
                   fmt::format("{}: {}",
                               writes ? "a query that only reads" : "a query that PostgreSQL takes",
                               to_sentence(fault)));
        }
        return std::nullopt;
    }

    static std::vector<const char*> nulls(const Query& query) {
        return std::vector<const char*>(query.parameters.size(), nullptr);
    }

    /// True when the query has these columns, as what they are taken for.
    bool check(const Query& query, const std::string& key, const std::vector<Column>& columns) {
        const auto rows =
            ask(query, key, fmt::format("SELECT * FROM ({}\n) q LIMIT 0", query.sql), nulls(query));
        if (!rows) return false;
        bool sound = true;
        std::string casts;
        for (const auto& column : columns) {
            bool found = false;
            for (pqxx::row::size_type i = 0; i < rows->columns(); ++i) {
                found = found || std::string_view{rows->column_name(i)} == column.name;
            }
            if (found) {
                casts +=
                    fmt::format("{}q.{}::{}", casts.empty() ? "" : ", ", column.name, column.type);
            } else if (column.required) {
                differ(query, 0, key, "(query)", fmt::format("a column {}", column.name));
                sound = false;
            }
        }
        // Behind the query, so that its lines keep their numbers.
        return sound &&
               ask(query, key,
                   fmt::format("WITH q AS ({}\n) SELECT {} FROM q LIMIT 0", query.sql, casts),
                   nulls(query));
    }

    /// How the people of a chunk are read.
    void advise(const Contact& contact, const std::string& key) {
        try {
            auto advice = index_advice(connection_, contact.relation);
            if (!advice) return;
            advice_.push_back({contact.query.file, contact.query.line, key,
                               std::move(advice->found), std::move(advice->remedy), 0});
        } catch (const pqxx::sql_error&) {
            if (!connection_.is_open()) throw;  // Else: how it is read cannot be seen.
        }
    }

    void explain(const Query& query, const std::string& key) {
        ask(query, key, "EXPLAIN " + query.sql, nulls(query));
    }

    void check_schedule(const Schedule& schedule) {
        const auto& query = schedule.query;
        const auto key = "schedules." + schedule.kind;
        const bool sound = check(query, key,
                                 {{"subject", "text"},
                                  {"occurrence", "timestamptz"},
                                  {"due_at", "timestamptz"},
                                  {"expires_at", "timestamptz"},
                                  {"params", "text::jsonb"},
                                  {"data", "text::jsonb"},
                                  {"owner", "text", false}});
        if (!sound) return;
        const auto now =
            ask(query, key, fmt::format("SELECT now() + {} * interval '1 s'", horizon_s_), {});
        if (!now) return;
        const std::vector<const char*> values(query.parameters.size(), (*now)[0][0].c_str());
        const auto rows =
            ask(query, key,
                fmt::format("WITH q AS ({}\n) SELECT q.params::text, q.subject::text, "
                            "q.occurrence::timestamptz, q.due_at::timestamptz, "
                            "q.expires_at::timestamptz, q.data::text::jsonb FROM q LIMIT 1",
                            query.sql),
                values);
        if (rows && !rows->empty()) check_params(schedule, (*rows)[0][0].c_str(), key);
    }

    /// What the due query gives to the audience of its kind.
    void check_params(const Schedule& schedule, std::string_view params, const std::string& key) {
        const auto* const kind = system_.find_kind(schedule.kind);
        const auto* const audience =
            kind == nullptr ? nullptr : system_.find_audience(kind->audience);
        if (audience == nullptr) return;
        boost::json::error_code fault;
        const auto value = boost::json::parse(params.empty() ? "{}" : params, fault);
        const auto* const given = fault ? nullptr : value.if_object();
        if (given == nullptr) {
            return differ(schedule.query, 0, key, "(params)", "params that are a JSON object");
        }
        const auto& wanted = audience->query.parameters;
        for (const auto& name : wanted) {
            if (given->contains(name) || !audience->needs(name)) continue;
            differ(schedule.query, 0, key, "(params)",
                   fmt::format("params with {}, which audiences.{} needs", name, audience->name));
        }
        for (const auto& each : *given) {
            const std::string name{each.key()};
            if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) continue;
            differ(schedule.query, 0, key, "(params)",
                   fmt::format("no params but those of audiences.{}: {}", audience->name,
                               fmt::join(wanted, ", ")));
        }
    }

    const System& system_;
    Problems& problems_;
    Problems& advice_;
    postgres::Connection connection_;
    std::int64_t horizon_s_;
};

}  // namespace

void check_queries(const System& system, const Settings& settings, Problems& problems,
                   Problems& advice) {
    try {
        QueryChecker{system, settings, problems, advice}.run();
    } catch (const std::exception& fault) {
        const auto failure = postgres::to_failure(fault, false, "connect");
        problems.push_back({(settings.systems_dir / system.name / "system.yaml").string(), 0,
                            system.database.empty() ? "(the ledger's database)" : "database", "",
                            fmt::format("a database that answers: {}", failure.doing), 0});
    }
}

}  // namespace fanfare::cli
