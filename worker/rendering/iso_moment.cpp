#include "worker/rendering/moments.hpp"

#include <algorithm>

namespace fanfare {
namespace {

using namespace std::chrono;

/// Reads a text from left to right; remembers that something did not fit.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_{text} {}

    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
    [[nodiscard]] bool ok() const noexcept { return ok_; }

    bool take(std::string_view any_of) noexcept {
        if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) return false;
        rest_.remove_prefix(1);
        return true;
    }

    void expect(std::string_view any_of) noexcept { ok_ = take(any_of) && ok_; }

    /// Exactly `digits` digits that make a number within the bounds.
    int number(std::size_t digits, int min, int max) noexcept {
        int value = 0;
        for (std::size_t i = 0; i < digits; ++i) value = value * 10 + digit();
        ok_ = ok_ && value >= min && value <= max;
        return value;
    }

    /// One to nine decimals, cut to microseconds.
    microseconds fraction() noexcept {
        std::int64_t value = 0;
        std::size_t digits = 0;
        for (; digits < 9 && next_is_digit(); ++digits) {
            const auto next = digit();
            if (digits < 6) value = value * 10 + next;
        }
        ok_ = ok_ && digits > 0;
        for (; digits < 6; ++digits) value *= 10;
        return microseconds{value};
    }

private:
    [[nodiscard]] bool next_is_digit() const noexcept {
        return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
    }

    int digit() noexcept {
        if (!next_is_digit()) {
            ok_ = false;
            return 0;
        }
        const auto value = rest_.front() - '0';
        rest_.remove_prefix(1);
        return value;
    }

    std::string_view rest_;
    bool ok_ = true;
};

/// "Z", "+05", "+0545", "+05:45" or nothing.
minutes read_offset(Reader& reader) noexcept {
    if (reader.at_end() || reader.take("Zz")) return 0min;
    const auto west = reader.take("-");
    if (!west) reader.expect("+");
    minutes offset = hours{reader.number(2, 0, 15)};
    if (!reader.at_end()) {
        reader.take(":");
        offset += minutes{reader.number(2, 0, 59)};
    }
    return west ? -offset : offset;
}

}  // namespace

std::optional<TimePoint> parse_moment(std::string_view iso8601) {
    Reader reader{iso8601};
    const year year{reader.number(4, 1, 9999)};
    reader.expect("-");
    const month month{static_cast<unsigned>(reader.number(2, 1, 12))};
    reader.expect("-");
    const day day{static_cast<unsigned>(reader.number(2, 1, 31))};
    const year_month_day date{year, month, day};
    reader.expect("Tt ");
    microseconds time = hours{reader.number(2, 0, 23)};
    reader.expect(":");
    time += minutes{reader.number(2, 0, 59)};
    if (reader.take(":")) {
        time += seconds{reader.number(2, 0, 59)};
        if (reader.take(".,")) time += reader.fraction();
    }
    const auto offset = read_offset(reader);
    if (!reader.ok() || !reader.at_end() || !date.ok()) return std::nullopt;
    return TimePoint{sys_days{date}} + time - offset;
}

std::int64_t minutes_until(TimePoint moment, TimePoint now) {
    if (moment <= now) return 0;
    // Halves go up, as people round; std::chrono::round would take the even neighbour.
    return floor<minutes>(moment - now + 30s).count();
}

}  // namespace fanfare
