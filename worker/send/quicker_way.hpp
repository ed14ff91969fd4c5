#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

namespace fanfare {

/// How a system's database is asked for the people of a chunk.
enum class ContactWay { range, key };

/// Which way takes a database less time a person, by the shortest of the last times of each: its
/// statistics do not tell what a table's neighbours, indexes and caches make of either, and
/// whatever else the machines do only adds to a time. The range, where they are about equal.
///
/// The other way is tried again and again, for tables grow and get indexes: when asking has taken
/// thirty-two times what it took last, so that it costs a thirty-second of the time, whatever its
/// worth; while fewer times of it are known when it has taken four times that. One question tries
/// at a time: all others take what is known to be good.
///
/// Threads   one at a time.
class QuickerWay {
public:
    static constexpr std::size_t times_kept = 8;
    static constexpr int try_again_after = 32;
    static constexpr int try_unknown_after = 4;

    /// `may_try`: the other way, too. Whoever was given a way tells what came of it.
    [[nodiscard]] ContactWay choose(bool may_try = true);
    /// `people`: 1 or more.
    void took(ContactWay way, std::size_t people, std::chrono::nanoseconds duration);
    /// It came to no end of which the time would tell anything.
    void left(ContactWay way);

private:
    struct Taken {
        std::array<double, times_kept> seconds_a_person{};
        std::size_t count = 0;
        std::chrono::nanoseconds last{0};

        [[nodiscard]] double shortest() const;
    };
    [[nodiscard]] ContactWay quicker() const;
    [[nodiscard]] const Taken& of(ContactWay way) const {
        return taken_[static_cast<std::size_t>(way)];
    }
    [[nodiscard]] Taken& of(ContactWay way) { return taken_[static_cast<std::size_t>(way)]; }

    std::array<Taken, 2> taken_;
    std::chrono::nanoseconds since_tried_{0};
    std::optional<ContactWay> tried_;  // By a question that is under way.
};

}  // namespace fanfare
