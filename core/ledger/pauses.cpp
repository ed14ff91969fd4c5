#include "core/ledger/pauses.hpp"

#include "core/ledger/iso.hpp"
#include "core/wire/timestamp.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>

#include <algorithm>

namespace fanfare::ledger {
namespace {

#define FANFARE_PAUSE_LINE                                         \
    "id, what, name, coalesce(channel, ''), " FANFARE_ISO_SECONDS( \
        "since") ", coalesce(" FANFARE_ISO_SECONDS("until") ", ''), who, because "

PauseLine read_line(const pqxx::row& row) {
    const auto what = parse_paused(row[1].c_str());
    return {.id = row[0].as<std::int64_t>(),
            .target = {what.value_or(Paused::job), row[2].c_str()},
            .channel = row[3].c_str(),
            .since = row[4].c_str(),
            .until = row[5].c_str(),
            .who = row[6].c_str(),
            .because = row[7].c_str()};
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

std::optional<PauseLine> pause(Connection& connection, const PauseOrder& order) {
    pqxx::nontransaction work{connection.raw()};
    work.exec("DELETE FROM pause p WHERE NOT is_in_force(p)");
    const auto until = order.until ? format_timestamp(*order.until) : std::string{};
    const auto channel = std::string{order.channel ? to_string(*order.channel) : ""};
    const auto rows = work.exec_params(
        "INSERT INTO pause (what, name, channel, until, who, because) "
        "VALUES ($1, $2, nullif($3, ''), nullif($4, '')::timestamptz, $5, $6) "
        "ON CONFLICT (what, name) DO UPDATE SET until = excluded.until, who = excluded.who, "
        "because = excluded.because WHERE $7 OR pause.who = excluded.who "
        "RETURNING " FANFARE_PAUSE_LINE,
        std::string{to_string(order.target.what)}, order.target.name, channel, until, order.who,
        order.because, order.over_others);
    if (rows.empty()) return std::nullopt;
    return read_line(rows[0]);
}

std::optional<PauseLine> resume(Connection& connection, const PauseTarget& target,
                                const std::string& who) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "DELETE FROM pause p WHERE what = $1 AND name = $2 AND ($3 = '' OR who = $3) "
        "RETURNING " FANFARE_PAUSE_LINE ", is_in_force(p)",
        std::string{to_string(target.what)}, target.name, who);
    if (rows.empty() || !rows[0][8].as<bool>()) return std::nullopt;
    return read_line(rows[0]);
}

std::vector<PauseLine> list_pauses(Connection& connection) {
    pqxx::nontransaction work{connection.raw()};
    std::vector<PauseLine> lines;
    for (const auto& row :
         work.exec("SELECT " FANFARE_PAUSE_LINE "FROM pause p WHERE is_in_force(p) ORDER BY id")) {
        lines.push_back(read_line(row));
    }
    return lines;
}

std::vector<PauseLine> find_pauses(const std::vector<PauseLine>& all, std::string_view job,
                                   std::string_view kind,
                                   const std::vector<std::string>& channels) {
    std::vector<PauseLine> lines;
    for (const auto& line : all) {
        const auto& [what, name] = line.target;
        const bool holds = (what == Paused::job && name == job) ||
                           (what == Paused::kind && name == kind) ||
                           (what == Paused::channel && contains(channels, name)) ||
                           (what == Paused::account && contains(channels, line.channel));
        if (holds) lines.push_back(line);
    }
    return lines;
}

bool hold_account(const std::vector<PauseLine>& all, std::string_view account,
                  std::string_view channel) {
    return std::any_of(all.begin(), all.end(), [&](const auto& line) {
        const auto& [what, name] = line.target;
        return (what == Paused::account && name == account) ||
               (what == Paused::channel && name == channel);
    });
}

std::string to_sentence(const PauseLine& line) {
    const auto until = line.until.empty() ? std::string{} : " until " + line.until;
    return fmt::format("{} {} since {}{} by {}: {}", to_string(line.target.what), line.target.name,
                       line.since, until, line.who, line.because);
}

}  // namespace fanfare::ledger
