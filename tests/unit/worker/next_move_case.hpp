#pragma once

#include "worker/send/next_move.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <ostream>
#include <string>

namespace fanfare {

inline void PrintTo(const Move& move, std::ostream* out) {
    static constexpr std::array names{"try all", "wait",   "reroute", "release",
                                      "give up", "finish", "leave"};
    *out << names.at(static_cast<std::size_t>(move.kind)) << ", " << move.wait.count() << " ms, "
         << move.failures << " failures, " << to_string(move.why);
}

namespace moves {

using std::chrono::milliseconds;
using After = Situation::After;

constexpr Move try_all(milliseconds waited = {}) {
    return {Move::Kind::try_all, waited, 0, Reason::none};
}
constexpr Move wait(milliseconds time) { return {Move::Kind::wait, time, 0, Reason::none}; }
constexpr Move reroute(milliseconds time) { return {Move::Kind::reroute, time, 0, Reason::none}; }
constexpr Move release(milliseconds next_in, std::int32_t failures = 0) {
    return {Move::Kind::release, next_in, failures, Reason::none};
}
inline constexpr TimePoint morning{std::chrono::hours{7}};
constexpr Move until(TimePoint moment, milliseconds next_in) {
    auto move = release(next_in);
    move.not_before = moment;
    return move;
}
constexpr Move give_up(Reason why) { return {Move::Kind::give_up, milliseconds{0}, 0, why}; }
inline constexpr Move finish{Move::Kind::finish, milliseconds{0}, 0, Reason::none};
inline constexpr Move leave{Move::Kind::leave, milliseconds{0}, 0, Reason::none};

/// A row of the table: how people and situation differ from the ones of its fixture, and the move.
struct Row {
    const char* name;
    std::function<void(ChunkState&, Situation&)> given;
    Move move;
};
inline void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }
inline std::string name_pattern(const ::testing::TestParamInfo<Row>& info) {
    return info.param.name;
}

/// A healthy account, a fresh lease, and backoff from one second to five minutes.
inline Situation situation(After after) {
    Situation now;
    now.after = after;
    now.account_timeout = milliseconds{10'000};
    now.lease_left = milliseconds{60'000};
    return now;
}

inline void expect_move(After after, const Row& row) {
    ChunkState chunk;
    Situation now = situation(after);
    row.given(chunk, now);
    EXPECT_EQ(next_move(chunk, now), row.move);
}

}  // namespace moves
}  // namespace fanfare
