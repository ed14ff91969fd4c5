#include "core/audience/contact_ways.hpp"

#include "core/systems/system.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>

namespace fanfare {
namespace {

/// A row with the id's type, whether or not there is anybody.
std::string select_of_an_id(std::string_view what, std::string_view relation) {
    return fmt::format("SELECT {} FROM (SELECT) one LEFT JOIN ({}\n) contact ON false", what,
                       relation);
}

/// How ids of a text type are compared bytewise, as chunks are ordered, and by an index that is in
/// that order too; "" where there can be none. Said in the query, it is so whatever becomes of the
/// table.
std::string find_collation(pqxx::transaction_base& work, std::string_view relation) {
    const auto rows =
        work.exec(select_of_an_id("coalesce(pg_collation_for(contact.recipient_id), ''), "
                                  "(SELECT datcollate IN ('C', 'POSIX') "
                                  " AND coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'c' "
                                  " FROM pg_database d WHERE datname = current_database())",
                                  relation));
    const std::string_view collation{rows[0][0].c_str()};
    const bool is_own = collation == "\"C\"" || collation == "\"POSIX\"";
    const bool is_default = collation == "\"default\"" && rows[0][1].as<bool>();
    return is_own || is_default ? fmt::format(" COLLATE {}", collation) : std::string{};
}

/// A way by key that knows the type: PostgreSQL does not see the ids when it plans, so that it
/// does not weigh each of a thousand.
std::string write_by_key(std::string_view type, std::string_view relation) {
    const auto condition =
        fmt::format("contact.recipient_id = ANY((SELECT $1::text[])::{}[])", type);
    return contacts_where(relation, condition);
}

}  // namespace

ContactWays contact_ways(postgres::Connection& source, std::string_view relation) {
    pqxx::nontransaction work{source.raw()};
    const auto rows = work.exec(select_of_an_id(
        "pg_typeof(contact.recipient_id)::text, pg_typeof(contact.recipient_id)::oid", relation));
    const std::string_view type{rows[0][0].c_str()};
    ContactWays ways;
    ways.type = rows[0][1].as<pqxx::oid>();
    ways.is_uuid = type == "uuid";
    const bool is_text = type == "text" || type == "character varying";
    if (is_text) {
        ways.by_key = write_by_key("text", relation);
    } else if (ways.is_uuid) {
        ways.by_key = write_by_key(type, relation);
    } else if (type == "bigint" || type == "integer" || type == "smallint") {
        // One form for all of them: a table whose ids grow wider while it is served costs nobody.
        ways.by_key = write_by_key("bigint", relation);
    } else {
        ways.by_key = contacts_where(relation, "contact.recipient_id = ANY($1)");
        ways.is_blind = false;
    }
    const auto collation = is_text ? find_collation(work, relation) : std::string{};
    if (ways.is_uuid || !collation.empty()) {
        ways.by_range = contacts_where(
            relation,
            fmt::format("contact.recipient_id{} BETWEEN $1 AND $2 LIMIT $3::bigint", collation));
    }
    return ways;
}

}  // namespace fanfare
