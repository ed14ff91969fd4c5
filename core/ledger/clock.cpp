#include "core/ledger/clock.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <pqxx/nontransaction>

#include <algorithm>

namespace fanfare::ledger {
namespace {

using std::chrono::microseconds;
constexpr std::chrono::seconds answer_max{2};  // A reading that took longer says too little.

microseconds since_zero(SteadyTime moment) {
    return std::chrono::duration_cast<microseconds>(moment.time_since_epoch());
}

bool is_near(microseconds a, microseconds b) { return abs(a - b) <= LedgerClock::skew_max; }

}  // namespace

TimePoint read_moment(const pqxx::field& field) {
    return TimePoint{microseconds{field.as<std::int64_t>()}};
}

ClockReading read_clock(postgres::Connection& connection, const Clock& own) {
    pqxx::nontransaction work{connection.raw()};
    ClockReading reading;
    reading.asked = own.steady_now();
    const auto rows = connection.exec_prepared(work, "SELECT " FANFARE_CLOCK);
    reading.answered = own.steady_now();
    reading.theirs = read_moment(rows[0][0]);
    return reading;
}

std::string clock_shows(std::string_view parameter) {
    const microseconds most = LedgerClock::skew_max;
    return fmt::format(
        "coalesce(abs(extract(epoch FROM now()) * 1000000 - nullif({}, '')::bigint) <= {}, true)",
        parameter, most.count());
}

std::string moment_parameter(const std::optional<TimePoint>& believed) {
    return believed ? std::to_string(believed->time_since_epoch().count()) : std::string{};
}

std::size_t mend_moments(postgres::Connection& connection, std::chrono::milliseconds lease,
                         std::chrono::milliseconds republish_after,
                         const std::optional<TimePoint>& believed) {
    pqxx::nontransaction work{connection.raw()};
    static const std::string is_believed = " AND " + clock_shows("$1::text");
    const auto shown = moment_parameter(believed);
    const auto waits = work.exec_params(
        "UPDATE chunk SET next_at = app_now() + greatest(next_at - updated_at, interval '0'), "
        "publish_at = app_now() + greatest(publish_at - updated_at, interval '0'), "
        "updated_at = app_now() WHERE state = 'planned' AND publish_at > app_now() "
        "AND updated_at > app_now() + interval '2 s'" +
            is_believed,
        shown);
    // Whoever was given it found that it was not due, and nothing of it was written.
    const auto given_out = work.exec_params(
        "UPDATE chunk SET publish_at = greatest(next_at, app_now()) WHERE state = 'planned' "
        "AND publish_at > greatest(next_at, app_now()) + $2 * interval '1 ms' + interval '2 s'" +
            is_believed,
        shown, republish_after.count());
    // A lease is ten minutes at most, by the bounds of its setting.
    const auto claims = work.exec_params(
        "UPDATE chunk SET lease_until = app_now() + $2 * interval '1 ms' "
        "WHERE state = 'claimed' AND lease_until > app_now() + interval '15 min'" +
            is_believed,
        shown, lease.count());
    const auto notifications = work.exec_params(
        "UPDATE notification SET lease_until = app_now() + $2 * interval '1 ms' "
        "WHERE state IN ('scheduled', 'publishing') "
        "AND lease_until > app_now() + interval '15 min'" +
            is_believed,
        shown, lease.count());
    return waits.affected_rows() + given_out.affected_rows() + claims.affected_rows() +
           notifications.affected_rows();
}

LedgerClock::LedgerClock(const Clock& own) : own_{own}, offset_{own_offset().count()} {}

LedgerClock::Offset LedgerClock::own_offset() const noexcept {
    return own_.now().time_since_epoch() - since_zero(own_.steady_now());
}

TimePoint LedgerClock::now() const noexcept {
    return TimePoint{since_zero(own_.steady_now()) + microseconds{offset_.load()}};
}

void LedgerClock::adopt(Offset offset) {
    offset_ = offset.count();
    own_at_adoption_ = own_offset();
    doubtful_.reset();
    known_ = true;
    steady_ = true;
}

void LedgerClock::learn(const ClockReading& reading) {
    if (reading.answered - reading.asked > answer_max) return;
    const auto between = since_zero(reading.asked + (reading.answered - reading.asked) / 2);
    const auto measured = reading.theirs.time_since_epoch() - between;
    const std::lock_guard guard{mutex_};
    skew_ = (measured - own_offset()).count();
    const microseconds current{offset_.load()};
    // A machine that slept: its calendar and the database's agree on how long.
    const bool slept = is_near(measured - current, own_offset() - own_at_adoption_);
    if (!known_ || is_near(measured, current) || slept) return adopt(measured);
    if (doubtful_ && is_near(measured, *doubtful_)) {
        const SteadyTime::duration unseen = reading.answered - doubtful_at_;
        doubtful_stood_ += std::min<SteadyTime::duration>(unseen, seen_max);
    } else {
        doubtful_stood_ = {};
    }
    doubtful_ = measured;
    doubtful_at_ = reading.answered;
    steady_ = false;
    if (doubtful_stood_ >= settle_after) adopt(measured);
}

bool knows_the_time(LedgerClock& clock, postgres::Connection& connection, const Clock& own) {
    learn_time(clock, read_clock(connection, own));
    return clock.is_steady();
}

void learn_time(LedgerClock& clock, const ClockReading& reading) {
    const bool was_steady = clock.is_steady();
    clock.learn(reading);
    const bool is_steady = clock.is_steady();
    const double skew_s = std::chrono::duration<double>(clock.skew()).count();
    if (was_steady && !is_steady) {
        spdlog::error("{}; it is {:+.1f} s from this machine's", clock_jumped, skew_s);
    } else if (!was_steady && is_steady) {
        spdlog::warn("the database's clock is believed again, {:+.1f} s from this machine's",
                     skew_s);
    }
}

}  // namespace fanfare::ledger
