#pragma once

#include "core/postgres/connection.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

/// What became of dead letters. Functions block, throw what libpqxx throws, and belong inside
/// postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

/// "requeued" or "dropped", when (ISO 8601 in UTC) and by whom.
struct LetterFate {
    std::string fate;
    std::string at;
    std::string who;
};
/// By digest.
[[nodiscard]] std::map<std::string, LetterFate> letter_fates(Connection& connection);

/// Nothing: it is open.
[[nodiscard]] std::optional<LetterFate> letter_fate(Connection& connection,
                                                    const std::string& digest);

/// Seals a letter's fate: `act` runs once for all, within the transaction that remembers it, and
/// whoever asks at the same time waits for it. What was sealed before is returned, and nothing is
/// done again.
[[nodiscard]] std::optional<LetterFate> seal_letter(Connection& connection,
                                                    const std::string& digest,
                                                    std::string_view fate, const std::string& who,
                                                    const std::function<void()>& act);

}  // namespace fanfare::ledger
