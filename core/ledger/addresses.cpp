#include "core/ledger/addresses.hpp"

#include <pqxx/nontransaction>

#include <string>
#include <unordered_map>
#include <unordered_set>

namespace fanfare::ledger {

using postgres::ArrayLiteral;

std::string canonical_address(Channel channel, std::string_view address) {
    // Some providers write numbers without their plus.
    const bool lacks_plus = channel == Channel::sms && !address.starts_with('+');
    std::string canonical(lacks_plus && !address.empty() ? 1 : 0, '+');
    canonical.append(address);
    if (channel != Channel::email) return canonical;
    const auto at = canonical.rfind('@');
    if (at == std::string::npos) return canonical;
    for (auto i = at; i < canonical.size(); ++i) {
        if (canonical[i] >= 'A' && canonical[i] <= 'Z')
            canonical[i] = static_cast<char>(canonical[i] + 32);
    }
    if (canonical.ends_with('.')) canonical.pop_back();
    return canonical;
}

std::vector<bool> find_suppressed(Connection& connection, Channel channel,
                                  std::span<const std::string> addresses) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT address FROM suppression WHERE channel = $1 AND address = ANY($2::text[])",
        static_cast<int>(channel), postgres::array_of(addresses));
    std::vector<bool> suppressed(addresses.size());
    if (rows.empty()) return suppressed;
    std::unordered_set<std::string_view> found;
    for (const auto& row : rows) found.emplace(row[0].c_str(), row[0].size());
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        suppressed[i] = found.contains(addresses[i]);
    }
    return suppressed;
}

std::size_t add_suppressions(pqxx::transaction_base& work, Channel channel,
                             std::span<const NewSuppression> suppressions,
                             std::string_view source) {
    ArrayLiteral addresses, reasons;
    for (const auto& suppression : suppressions) {
        addresses.add(suppression.address);
        reasons.add(suppression.reason);
    }
    return work
        .exec_params(
            "INSERT INTO suppression (channel, address, reason, source) "
            "SELECT DISTINCT ON (w.address) $1::smallint, w.address, w.reason, $4 "
            "FROM unnest($2::text[], $3::text[]) AS w(address, reason) ON CONFLICT DO NOTHING",
            static_cast<int>(channel), addresses.text(), reasons.text(), std::string{source})
        .affected_rows();
}

std::size_t add_suppressions(Connection& connection, Channel channel,
                             std::span<const NewSuppression> suppressions,
                             std::string_view source) {
    pqxx::nontransaction work{connection.raw()};
    return add_suppressions(work, channel, suppressions, source);
}

std::vector<bool> own_addresses(Connection& connection, const std::string& job, Channel channel,
                                std::span<const AddressClaim> claims) {
    ArrayLiteral address_column, recipient_column;
    for (const auto& claim : claims) {
        address_column.add(claim.address);
        recipient_column.add(claim.recipient);
    }
    const auto addresses = address_column.text();
    const auto recipients = recipient_column.text();
    pqxx::nontransaction work{connection.raw()};
    // Sorted, so that two replicas with overlapping addresses cannot lock each other out.
    work.exec_params(
        "INSERT INTO address_owner (job_id, channel, address, recipient) "
        "SELECT DISTINCT ON (w.a) $1::uuid, $2::smallint, w.a, w.recipient "
        "FROM (SELECT sha256(convert_to(address, 'UTF8')) AS a, recipient "
        "  FROM unnest($3::text[], $4::text[]) AS u(address, recipient)) w "
        "ORDER BY w.a, w.recipient COLLATE \"C\" ON CONFLICT DO NOTHING",
        job, static_cast<int>(channel), addresses, recipients);
    const auto rows = work.exec_params(
        "SELECT coalesce(o.recipient = w.recipient, true) "
        "FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS w(address, recipient, position) "
        "LEFT JOIN address_owner o ON o.job_id = $1::uuid AND o.channel = $2 "
        "  AND o.address = sha256(convert_to(w.address, 'UTF8')) ORDER BY w.position",
        job, static_cast<int>(channel), addresses, recipients);
    std::vector<bool> owned(claims.size(), true);
    for (std::size_t i = 0; i < owned.size() && i < rows.size(); ++i) {
        owned[i] = rows[static_cast<pqxx::result::size_type>(i)][0].as<bool>();
    }
    return owned;
}

}  // namespace fanfare::ledger
