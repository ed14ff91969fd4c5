#include "core/ledger/opt_outs.hpp"

#include "core/audience/address.hpp"
#include "core/crypto/digest.hpp"
#include "core/ledger/bytea.hpp"

#include <pqxx/nontransaction>

#include <algorithm>

namespace fanfare::ledger {

namespace {

// Of the compared form $n; `k` is the ledger's key.
#define FANFARE_HASH(address) "sha256(k.key || convert_to(" address ", 'UTF8'))"
#define FANFARE_MARK(address) "substr(" FANFARE_HASH(address) ", 1, 8)"
static_assert(address_mark_bytes == 8);

LeftList read_left(const pqxx::row& row) {
    return {row[0].c_str(), static_cast<Channel>(row[1].as<int>()), row[2].c_str(), row[3].c_str()};
}

void keep(pqxx::transaction_base& work, std::span<const LeftWith> found) {
    postgres::ArrayLiteral systems, channels, lists, recipients, whose, addresses;
    std::int64_t position = 0;
    for (const auto& [left, with] : found) {
        ++position;
        systems.add(left.system);
        channels.add(static_cast<std::int64_t>(left.channel));
        lists.add(left.list);
        recipients.add(left.recipient);
        for (const auto& address : with) {
            whose.add(position);
            addresses.add(compared_form(left.channel, address));
        }
    }
    work.exec_params(
        "WITH w AS (SELECT * FROM unnest($1::text[], $2::smallint[], $3::text[], $4::text[]) "
        "    WITH ORDINALITY AS u(system, channel, list, recipient, position)), "
        "read AS (UPDATE opt_out o SET address_due_at = NULL FROM w WHERE o.system = w.system "
        "    AND o.channel = w.channel AND o.list = w.list AND o.recipient = w.recipient "
        "    AND o.address_due_at IS NOT NULL "
        "  RETURNING o.system, o.channel, o.list, o.recipient, w.position) "
        "INSERT INTO opt_out_address (system, channel, list, address, recipient) "
        "SELECT r.system, r.channel, r.list, " FANFARE_HASH("a.address") ", r.recipient "
        "FROM read r JOIN unnest($5::bigint[], $6::text[]) AS a(position, address) "
        "  ON a.position = r.position CROSS JOIN address_key k ON CONFLICT DO NOTHING",
        systems.text(), channels.text(), lists.text(), recipients.text(), whose.text(),
        addresses.text());
}

}  // namespace

namespace {

std::optional<LeftList> opt_out_person(Connection& connection, const Reference& reference) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "WITH told AS (SELECT j.system, j.list, c.channel, c.recipients[$4::int + 1] AS recipient, "
        "    j.id FROM chunk c JOIN job j ON j.id = c.job_id "
        "  WHERE c.job_id = $1::uuid AND c.channel = $2 AND c.number = $3 AND j.list <> ''), "
        "stored AS (INSERT INTO opt_out (system, channel, list, recipient, job_id) "
        "  SELECT system, channel, list, recipient, id FROM told WHERE recipient IS NOT NULL "
        "  ON CONFLICT (system, channel, list, recipient) "
        "  DO UPDATE SET address_due_at = excluded.address_due_at) "
        "SELECT system, channel, list, recipient FROM told WHERE recipient IS NOT NULL",
        reference.job, static_cast<int>(reference.channel), static_cast<int>(reference.chunk),
        static_cast<int>(reference.position));
    if (rows.empty()) return std::nullopt;
    return read_left(rows[0]);
}

/// The address alone, where nobody knows any more whose it was.
std::optional<LeftList> opt_out_address(Connection& connection, const Reference& reference,
                                        const std::string& mark) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "WITH told AS (SELECT system, list FROM job WHERE id = $1::uuid AND list <> '' "
        "  AND dropped_at IS NOT NULL), "
        "stored AS (INSERT INTO opt_out_address (system, channel, list, address, recipient) "
        "  SELECT system, $2, list, decode(substr($3, 3), 'hex'), '' FROM told "
        "  ON CONFLICT DO NOTHING) "
        "SELECT system, $2::smallint, list, '' FROM told",
        reference.job, static_cast<int>(reference.channel), encode_bytea(mark));
    if (rows.empty()) return std::nullopt;
    return read_left(rows[0]);
}

}  // namespace

std::optional<LeftList> opt_out(Connection& connection, const Reference& reference,
                                const std::string& mark) {
    if (auto left = opt_out_person(connection, reference)) return left;
    if (mark.empty()) return std::nullopt;
    return opt_out_address(connection, reference, mark);
}

std::string address_key(Connection& connection) {
    pqxx::nontransaction work{connection.raw()};
    return decode_bytea(work.exec("SELECT key FROM address_key")[0][0].c_str());
}

std::array<char, address_mark_bytes> AddressMarks::mark(std::string_view compared) const {
    thread_local std::string hashed, hash;
    hashed.assign(key_).append(compared);
    write_digest(Digest::sha256, hashed, hash);
    std::array<char, address_mark_bytes> mark{};
    std::copy_n(hash.begin(), mark.size(), mark.begin());
    return mark;
}

void keep_addresses(Connection& connection, std::span<const LeftWith> found) {
    pqxx::nontransaction work{connection.raw()};
    keep(work, found);
}

std::vector<LeftList> take_unread_opt_outs(Connection& connection, int limit) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = connection.exec_prepared(
        work,
        "WITH due AS (SELECT system, channel, list, recipient FROM opt_out "
        "  WHERE address_due_at <= app_now() ORDER BY address_due_at LIMIT $1 "
        "  FOR UPDATE SKIP LOCKED) "
        "UPDATE opt_out o SET address_due_at = app_now() + least(greatest("
        "  app_now() - o.created_at, interval '10 seconds'), interval '1 hour') FROM due "
        "WHERE o.system = due.system AND o.channel = due.channel AND o.list = due.list "
        "  AND o.recipient = due.recipient "
        "RETURNING o.system, o.channel, o.list, o.recipient",
        limit);
    std::vector<LeftList> due;
    for (const auto& row : rows) due.push_back(read_left(row));
    return due;
}

std::vector<OptOut> find_opt_outs(Connection& connection, const std::string& system,
                                  const std::string& recipient) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT channel, list, to_char(created_at AT TIME ZONE 'UTC', "
        "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM opt_out WHERE system = $1 AND recipient = $2 "
        "AND channel IN (0, 1, 2) ORDER BY list, channel",
        system, recipient);
    std::vector<OptOut> found;
    for (const auto& row : rows) {
        found.push_back({static_cast<Channel>(row[0].as<int>()), row[1].c_str(), row[2].c_str()});
    }
    return found;
}

namespace {

std::pair<std::string, std::string> to_literals(const OptOutChange& change) {
    postgres::ArrayLiteral channels, lists;
    for (const auto channel : change.channels) channels.add(static_cast<std::int64_t>(channel));
    for (const auto& list : change.lists) lists.add(list);
    return {channels.text(), lists.text()};
}

}  // namespace

void opt_out_by_hand(Connection& connection, const OptOutChange& change) {
    const auto [channels, lists] = to_literals(change);
    {  // Ends before the next one begins.
        pqxx::nontransaction work{connection.raw()};
        work.exec_params(
            "INSERT INTO opt_out (system, channel, list, recipient) SELECT $1, c, l, $2 "
            "FROM unnest($3::smallint[]) c, unnest($4::text[]) l "
            "ON CONFLICT (system, channel, list, recipient) "
            "DO UPDATE SET address_due_at = excluded.address_due_at",
            change.system, change.recipient, channels, lists);
    }
    keep_addresses(connection, change);
}

void keep_addresses(Connection& connection, const OptOutChange& change) {
    std::vector<LeftWith> found;
    for (const auto channel : change.channels) {
        const auto& addresses = change.addresses[static_cast<std::size_t>(channel)];
        if (addresses.empty()) continue;
        for (const auto& list : change.lists) {
            found.push_back({{change.system, channel, list, change.recipient}, addresses});
        }
    }
    if (!found.empty()) keep_addresses(connection, found);
}

std::vector<LeftList> unread_opt_outs_beside(Connection& connection, const OptOutChange& change,
                                             int limit) {
    const auto [channels, lists] = to_literals(change);
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT system, channel, list, recipient FROM opt_out WHERE system = $1 "
        "  AND recipient <> $2 AND channel = ANY($3::smallint[]) AND list = ANY($4::text[]) "
        "  AND address_due_at IS NOT NULL ORDER BY created_at DESC LIMIT $5",
        change.system, change.recipient, channels, lists, limit);
    std::vector<LeftList> unread;
    for (const auto& row : rows) unread.push_back(read_left(row));
    return unread;
}

void opt_in_by_hand(Connection& connection, const OptOutChange& change,
                    std::span<const LeftWith> others) {
    const auto [channels, lists] = to_literals(change);
    postgres::ArrayLiteral whose, addresses;
    for (const auto channel : change.channels) {
        for (const auto& address : change.addresses[static_cast<std::size_t>(channel)]) {
            whose.add(static_cast<std::int64_t>(channel));
            addresses.add(compared_form(channel, address));
        }
    }
    pqxx::work work{connection.raw()};
    if (!others.empty()) keep(work, others);
    // First the person: whoever is keeping their addresses at this moment is waited for, and what
    // they kept is seen by the second statement.
    work.exec_params(
        "DELETE FROM opt_out WHERE system = $1 AND recipient = $2 "
        "AND channel = ANY($3::smallint[]) AND list = ANY($4::text[])",
        change.system, change.recipient, channels, lists);
    work.exec_params(
        "WITH mine AS (SELECT a.channel, " FANFARE_HASH("a.address") " AS hash FROM address_key k, "
        "    unnest($5::smallint[], $6::text[]) AS a(channel, address)) "
        "DELETE FROM opt_out_address o WHERE o.system = $1 "
        "  AND o.channel = ANY($3::smallint[]) AND o.list = ANY($4::text[]) AND (o.recipient = $2 "
        "    OR EXISTS (SELECT FROM mine m WHERE m.channel = o.channel "
        "      AND o.address IN (m.hash, substr(m.hash, 1, 8))))",
        change.system, change.recipient, channels, lists, whose.text(), addresses.text());
    work.commit();
}

Gone opted_out(Connection& connection, std::string_view system, Channel channel,
               std::string_view list, const std::string& recipients_literal) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = connection.exec_prepared(
        work,
        "SELECT recipient FROM opt_out WHERE system = $1 AND channel = $2 AND list = $3 "
        "AND recipient = ANY($4::text[]) "
        "UNION ALL SELECT NULL WHERE EXISTS (SELECT FROM opt_out_address "
        "  WHERE system = $1 AND channel = $2 AND list = $3)",
        std::string{system}, static_cast<int>(channel), std::string{list}, recipients_literal);
    Gone gone;
    for (const auto& row : rows) {
        if (row[0].is_null()) {
            gone.with_addresses = true;
        } else {
            gone.people.emplace_back(row[0].c_str(), row[0].size());
        }
    }
    return gone;
}

std::vector<bool> left_with(Connection& connection, std::string_view system, Channel channel,
                            std::string_view list, std::span<const std::string_view> addresses) {
    postgres::ArrayLiteral compared;
    std::string form;
    for (const auto address : addresses) {
        write_compared_form(channel, address, form);
        compared.add(form);
    }
    pqxx::nontransaction work{connection.raw()};
    const auto rows = connection.exec_prepared(
        work,
        "SELECT w.position FROM address_key k, "
        "  unnest($4::text[]) WITH ORDINALITY AS w(address, position) "
        "WHERE EXISTS (SELECT FROM opt_out_address o WHERE o.system = $1 AND o.channel = $2 "
        "  AND o.list = $3 AND o.address IN (" FANFARE_HASH("w.address") ", " FANFARE_MARK(
            "w.address") "))",
        std::string{system}, static_cast<int>(channel), std::string{list}, compared.text());
    std::vector<bool> left(addresses.size());
    for (const auto& row : rows) left[row[0].as<std::size_t>() - 1] = true;
    return left;
}

}  // namespace fanfare::ledger
