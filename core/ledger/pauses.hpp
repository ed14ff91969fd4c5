#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/vocabulary.hpp"
#include "core/postgres/connection.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Pauses: what operators hold back. Functions block, throw what libpqxx throws, and belong inside
/// postgres::Pool::run().
///
/// Claims and marks look at them in the ledger, so that nothing is claimed or marked that was
/// paused before; what is marked by then begins within moments, or not at all.
namespace fanfare::ledger {

using postgres::Connection;

enum class Paused : std::uint8_t { job, kind, channel, account };
inline constexpr std::array<std::string_view, 4> paused_words{"job", "kind", "channel", "account"};

[[nodiscard]] constexpr std::string_view to_string(Paused what) noexcept {
    return paused_words[static_cast<std::size_t>(what)];
}
[[nodiscard]] constexpr std::optional<Paused> parse_paused(std::string_view word) noexcept {
    for (std::size_t i = 0; i < paused_words.size(); ++i) {
        if (paused_words[i] == word) return static_cast<Paused>(i);
    }
    return std::nullopt;
}

/// What is paused: a job's id, system/kind, the name of a channel or of an account.
struct PauseTarget {
    Paused what = Paused::job;
    std::string name;
    auto operator<=>(const PauseTarget&) const = default;
};

/// Moments are ISO 8601 in UTC, "" for none.
struct PauseLine {
    std::int64_t id = 0;
    PauseTarget target;
    std::string channel;  // That an account serves; "" for all else.
    std::string since;
    std::string until;
    std::string who;
    std::string because;
};

struct PauseOrder {
    PauseTarget target;
    std::optional<Channel> channel;  // That an account serves.
    std::optional<TimePoint> until;  // Then it ends by itself.
    std::string who;
    std::string because;
    bool over_others = true;  // Also where somebody else paused it.
};

/// Pauses it; where it is paused already, its end and why change. Nothing where that is not this
/// caller's to change.
std::optional<PauseLine> pause(Connection& connection, const PauseOrder& order);

/// Ends a pause. Nothing where there is none in force, or, with `who`, none of theirs.
std::optional<PauseLine> resume(Connection& connection, const PauseTarget& target,
                                const std::string& who = "");

/// All that are in force, the oldest first.
[[nodiscard]] std::vector<PauseLine> list_pauses(Connection& connection);

/// Those among them that hold a job back: its own, its kind's, of its channels, and of accounts
/// that serve these. `kind` as system/kind.
[[nodiscard]] std::vector<PauseLine> find_pauses(const std::vector<PauseLine>& all,
                                                 std::string_view job, std::string_view kind,
                                                 const std::vector<std::string>& channels);

/// Whether one of them holds the account back, or its channel.
[[nodiscard]] bool hold_account(const std::vector<PauseLine>& all, std::string_view account,
                                std::string_view channel);

/// "account mail-1 since 2026-11-28T09:30:00Z by ops@host: the provider asked us to".
[[nodiscard]] std::string to_sentence(const PauseLine& line);

// Of a statement that asks of many chunks: nothing is looked up while there is no pause at all.
#define FANFARE_PAUSED(job, channel, account) \
    "((SELECT EXISTS (SELECT FROM pause)) AND is_paused(" job ", " channel ", " account "))"

}  // namespace fanfare::ledger
