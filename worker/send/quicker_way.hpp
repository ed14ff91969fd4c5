#pragma once

#include <array>
#include <chrono>
#include <cstddef>

namespace fanfare {

/// How a system's database is asked for the people of a chunk.
enum class ContactWay { range, key };

/// Which way takes a database less time a person, by the shortest of the last times of each: its
/// statistics do not tell what a table's neighbours, indexes and caches make of either, and
/// whatever else the machines do only adds to a time. The range, where they are about equal.
///
/// The other way is tried again and again, for tables grow and get indexes: when asking has taken
/// thirty-two times what it took last, so that it costs a thirty-second of the time, whatever its
/// worth; more often while it is little known.
///
/// Threads   one at a time.
class QuickerWay {
public:
    static constexpr std::size_t times_kept = 8;
    static constexpr int try_again_after = 32;
    static constexpr int try_unknown_after = 4;

    [[nodiscard]] ContactWay choose();
    /// `people`: 1 or more.
    void took(ContactWay way, std::size_t people, std::chrono::nanoseconds duration);

private:
    struct Taken {
        std::array<double, times_kept> seconds_a_person{};
        std::size_t count = 0;
        std::chrono::nanoseconds last{0};

        [[nodiscard]] double shortest() const;
    };
    [[nodiscard]] Taken& of(ContactWay way) { return taken_[static_cast<std::size_t>(way)]; }

    std::array<Taken, 2> taken_;
    std::chrono::nanoseconds since_tried_{0};
};

}  // namespace fanfare
