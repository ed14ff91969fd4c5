#include "core/ledger/addresses.hpp"

#include "core/audience/address.hpp"
#include "core/ledger/address_forms.hpp"

#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include <string>
#include <unordered_set>
#include <utility>

namespace fanfare::ledger {

using postgres::ArrayLiteral;

std::vector<bool> find_suppressed(Connection& connection, Channel channel,
                                  std::span<const std::string_view> addresses) {
    AddressForms forms{channel};
    ArrayLiteral asked;
    for (const auto address : addresses) {
        for (const auto& form : forms.of(address)) asked.add(form);
    }
    pqxx::nontransaction work{connection.raw()};
    const auto rows = connection.exec_prepared(
        work, "SELECT address FROM suppression WHERE channel = $1 AND address = ANY($2::text[])",
        static_cast<int>(channel), asked.text());
    std::vector<bool> suppressed(addresses.size());
    if (rows.empty()) return suppressed;
    std::unordered_set<std::string_view> found;
    for (const auto& row : rows) found.emplace(row[0].c_str(), row[0].size());
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        for (const auto& form : forms.of(addresses[i])) {
            if (found.contains(form)) suppressed[i] = true;
        }
    }
    return suppressed;
}

std::size_t add_suppressions(pqxx::transaction_base& work, Channel channel,
                             std::span<const NewSuppression> suppressions,
                             std::string_view source) {
    AddressForms forms{channel};
    ArrayLiteral addresses, compared, reasons;
    for (const auto& suppression : suppressions) {
        const auto of_this = forms.of(suppression.address);
        for (const auto& form : of_this) {
            addresses.add(form);
            // A receipt's may stand there as its provider wrote it.
            compared.add(of_this[0]);
            reasons.add(suppression.reason);
        }
    }
    return work
        .exec_params(
            "WITH stored AS (INSERT INTO suppression (channel, address, compared, reason, source) "
            "  SELECT DISTINCT ON (w.address) $1::smallint, w.address, w.compared, w.reason, $5 "
            "  FROM unnest($2::text[], $3::text[], $4::text[]) AS w(address, compared, reason) "
            "  ON CONFLICT DO NOTHING RETURNING address = compared AS counts) "
            "SELECT count(*) FROM stored WHERE counts",
            static_cast<int>(channel), addresses.text(), compared.text(), reasons.text(),
            std::string{source})[0][0]
        .as<std::size_t>();
}

std::size_t add_suppressions(Connection& connection, Channel channel,
                             std::span<const NewSuppression> suppressions,
                             std::string_view source) {
    pqxx::nontransaction work{connection.raw()};
    return add_suppressions(work, channel, suppressions, source);
}

std::size_t read_suppressions(Connection& connection, int limit) {
    if (!postgres::finds(connection, "SELECT 1 FROM suppression WHERE compared IS NULL LIMIT 1"))
        return 0;
    pqxx::work work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT channel, address FROM suppression WHERE compared IS NULL "
        "ORDER BY channel, address LIMIT $1 FOR UPDATE SKIP LOCKED",
        limit);
    if (rows.empty()) return 0;
    ArrayLiteral channel_column, addresses, compared;
    for (const auto& row : rows) {
        const auto channel = static_cast<Channel>(row[0].as<int>());
        const std::string_view address{row[1].c_str(), row[1].size()};
        channel_column.add(static_cast<std::int64_t>(channel));
        addresses.add(address);
        // A receipt's may stand there as its provider wrote it.
        compared.add(find_compared_form(channel, address, Plus::optional).value_or(""));
    }
    work.exec_params(
        "WITH w AS (SELECT * FROM unnest($1::smallint[], $2::text[], $3::text[]) "
        "    AS u(channel, address, compared)), "
        "read AS (UPDATE suppression s SET compared = w.compared FROM w "
        "  WHERE s.channel = w.channel AND s.address = w.address "
        "  RETURNING s.channel, s.address, s.compared, s.reason, s.source, s.created_at) "
        "INSERT INTO suppression (channel, address, compared, reason, source, created_at) "
        "SELECT channel, compared, compared, reason, source, created_at FROM read "
        "WHERE compared NOT IN ('', address) ORDER BY channel, compared ON CONFLICT DO NOTHING",
        channel_column.text(), addresses.text(), compared.text());
    work.commit();
    return static_cast<std::size_t>(rows.size());
}

namespace {

/// Claims as columns, one line a form of an address.
struct ClaimColumns {
    ClaimColumns(Channel channel, std::span<const AddressClaim> claims) {
        AddressForms forms{channel};
        ArrayLiteral address_column, recipient_column;
        for (std::size_t i = 0; i < claims.size(); ++i) {
            for (const auto& form : forms.of(claims[i].address)) {
                address_column.add(form);
                recipient_column.add(claims[i].recipient);
                claim_of.push_back(i);
            }
        }
        addresses = address_column.text();
        recipients = recipient_column.text();
    }
    std::string addresses, recipients;
    std::vector<std::size_t> claim_of;  // Each line.
};

std::vector<bool> look_up_owners(pqxx::transaction_base& work, const std::string& job,
                                 Channel channel, std::size_t count, const ClaimColumns& claims) {
    const auto rows = work.exec_params(
        "SELECT coalesce(o.recipient = w.recipient, true) "
        "FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS w(address, recipient, position) "
        "LEFT JOIN address_owner o ON o.job_id = $1::uuid AND o.channel = $2 "
        "  AND o.address = sha256(convert_to(w.address, 'UTF8')) ORDER BY w.position",
        job, static_cast<int>(channel), claims.addresses, claims.recipients);
    std::vector<bool> owned(count, true);
    const auto& claim_of = claims.claim_of;
    for (std::size_t i = 0; i < claim_of.size() && i < rows.size(); ++i) {
        const auto row = rows[static_cast<pqxx::result::size_type>(i)];
        if (!row[0].as<bool>()) owned[claim_of[i]] = false;
    }
    return owned;
}

}  // namespace

std::vector<bool> own_addresses(Connection& connection, const std::string& job, Channel channel,
                                std::span<const AddressClaim> claims) {
    const ClaimColumns columns{channel, claims};
    pqxx::nontransaction work{connection.raw()};
    // Sorted, so that two replicas with overlapping addresses cannot lock each other out.
    work.exec_params(
        "INSERT INTO address_owner (job_id, channel, address, recipient) "
        "SELECT DISTINCT ON (w.a) $1::uuid, $2::smallint, w.a, w.recipient "
        "FROM (SELECT sha256(convert_to(address, 'UTF8')) AS a, recipient "
        "  FROM unnest($3::text[], $4::text[]) AS u(address, recipient)) w "
        "ORDER BY w.a, w.recipient COLLATE \"C\" ON CONFLICT DO NOTHING",
        job, static_cast<int>(channel), columns.addresses, columns.recipients);
    return look_up_owners(work, job, channel, claims.size(), columns);
}

std::vector<bool> would_own_addresses(Connection& connection, const std::string& job,
                                      Channel channel, std::span<const AddressClaim> claims) {
    pqxx::nontransaction work{connection.raw()};
    return look_up_owners(work, job, channel, claims.size(), ClaimColumns{channel, claims});
}

}  // namespace fanfare::ledger
