#include "core/wire/timestamp.hpp"

#include <fmt/format.h>

#include <chrono>

namespace fanfare {
namespace {

using namespace std::chrono;

/// Takes digits and signs off the front of a text; remembers the first misfit.
class Cursor {
public:
    explicit Cursor(std::string_view text) : rest_{text} {}

    // Exactly `count` digits.
    int digits(std::size_t count) {
        int number = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (!at_digit()) {
                sound_ = false;
                return 0;
            }
            number = number * 10 + (rest_.front() - '0');
            rest_.remove_prefix(1);
        }
        return number;
    }

    bool take(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }

    void expect(char c) { sound_ = take(c) && sound_; }
    void expect(bool condition) { sound_ = sound_ && condition; }

    [[nodiscard]] bool at_digit() const {
        return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
    }
    [[nodiscard]] bool at_end() const { return rest_.empty(); }
    [[nodiscard]] bool done() const { return sound_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool sound_ = true;
};

/// One to nine decimals, cut to microseconds.
microseconds read_fraction(Cursor& cursor) {
    if (!cursor.take('.') && !cursor.take(',')) return microseconds{0};
    cursor.expect(cursor.at_digit());
    int number = 0;
    int scale = 100'000;
    for (int i = 0; i < 9 && cursor.at_digit(); ++i) {
        number += cursor.digits(1) * scale;
        scale /= 10;
    }
    return microseconds{number};
}

/// "Z", "+05", "+0545", "+05:45", at most as far from UTC as PostgreSQL takes; nothing: no zone.
std::optional<minutes> read_zone(Cursor& cursor) {
    if (cursor.at_end()) return std::nullopt;
    if (cursor.take('Z') || cursor.take('z')) return minutes{0};
    const bool west = cursor.take('-');
    if (!west) cursor.expect('+');
    const int hour = cursor.digits(2);
    int minute = 0;
    if (!cursor.at_end()) {
        cursor.take(':');
        minute = cursor.digits(2);
    }
    cursor.expect(hour <= 15 && minute <= 59);
    const auto offset = hours{hour} + minutes{minute};
    return west ? -offset : offset;
}

/// What a text says, and whether it says its zone.
struct Read {
    TimePoint time;
    bool has_zone = false;
};

std::optional<Read> read_moment(std::string_view text) {
    Cursor cursor{text};
    const int year_number = cursor.digits(4);
    cursor.expect('-');
    const int month_number = cursor.digits(2);
    cursor.expect('-');
    const int day_number = cursor.digits(2);
    cursor.expect(cursor.take('T') || cursor.take('t') || cursor.take(' '));
    const int hour = cursor.digits(2);
    cursor.expect(':');
    const int minute = cursor.digits(2);
    int second = 0;
    auto fraction = microseconds{0};
    if (cursor.take(':')) {
        second = cursor.digits(2);
        fraction = read_fraction(cursor);
    }
    cursor.expect(hour <= 23 && minute <= 59 && second <= 59);
    const auto offset = read_zone(cursor);
    const year_month_day date{year{year_number}, month{static_cast<unsigned>(month_number)},
                              day{static_cast<unsigned>(day_number)}};
    if (!cursor.done() || !date.ok()) return std::nullopt;
    const TimePoint time = sys_days{date} + hours{hour} + minutes{minute} + seconds{second} +
                           fraction - offset.value_or(minutes{0});
    // The offset may lead out of the years that can be written, and that PostgreSQL knows.
    const bool writable =
        time >= sys_days{year{1} / January / 1} && time < sys_days{year{10'000} / January / 1};
    if (!writable) return std::nullopt;
    return Read{time, offset.has_value()};
}

}  // namespace

std::optional<TimePoint> parse_time_or_utc(std::string_view text) {
    const auto read = read_moment(text);
    if (!read) return std::nullopt;
    return read->time;
}

std::optional<TimePoint> parse_timestamp(std::string_view text) {
    const auto read = read_moment(text);
    if (!read || !read->has_zone) return std::nullopt;
    return read->time;
}

std::string format_timestamp(TimePoint time) {
    const auto midnight = floor<days>(time);
    const year_month_day date{midnight};
    const hh_mm_ss<microseconds> clock{time - midnight};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

}  // namespace fanfare
