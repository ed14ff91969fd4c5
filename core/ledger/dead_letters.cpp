#include "core/ledger/dead_letters.hpp"

#include "core/ledger/iso.hpp"

#include <pqxx/nontransaction>
#include <pqxx/transaction>

namespace fanfare::ledger {

std::map<std::string, LetterFate> letter_fates(Connection& connection) {
    pqxx::nontransaction work{connection.raw()};
    std::map<std::string, LetterFate> fates;
    for (const auto& row :
         work.exec("SELECT digest, fate, " FANFARE_ISO_SECONDS("at") ", who FROM dead_letter")) {
        fates[row[0].c_str()] = {row[1].c_str(), row[2].c_str(), row[3].c_str()};
    }
    return fates;
}

namespace {

std::optional<LetterFate> find(pqxx::transaction_base& work, const std::string& digest) {
    const auto rows = work.exec_params(
        "SELECT fate, " FANFARE_ISO_SECONDS("at") ", who FROM dead_letter WHERE digest = $1",
        digest);
    if (rows.empty()) return std::nullopt;
    return LetterFate{rows[0][0].c_str(), rows[0][1].c_str(), rows[0][2].c_str()};
}

}  // namespace

std::optional<LetterFate> letter_fate(Connection& connection, const std::string& digest) {
    pqxx::nontransaction work{connection.raw()};
    return find(work, digest);
}

std::optional<LetterFate> seal_letter(Connection& connection, const std::string& digest,
                                      std::string_view fate, const std::string& who,
                                      const std::function<void()>& act) {
    pqxx::work work{connection.raw()};
    const auto added = work.exec_params(
        "INSERT INTO dead_letter (digest, fate, who) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        digest, std::string{fate}, who);
    if (added.affected_rows() == 0) return find(work, digest);
    act();
    work.commit();
    return std::nullopt;
}

}  // namespace fanfare::ledger
