#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/vocabulary.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fanfare {

/// Keeps a system's database that answers nobody from holding up the plans of all others: whose
/// plans wait there already for too many answers plans nothing more until one comes.
///
/// Where somebody has waited for `patience`, waiting_max plans of a source wait in all; an urgent
/// one begins unless another urgent one has.
///
/// Bounds    refused_max jobs are known.
/// Threads   any.
/// Lifetime  the clock outlives it; it outlives turns.
class SourceTurns {
public:
    static constexpr std::size_t waiting_max = 3;
    static constexpr std::chrono::milliseconds patience{500};
    static constexpr std::chrono::milliseconds come_again{1'000};
    static constexpr std::size_t refused_max = 30'000;
    using Source = const void*;  // Only compared.

    explicit SourceTurns(const Clock& clock) : clock_{clock} {}

    /// One plan that reads from its source, as long as it lives. It waits for an answer but between
    /// heard() and asks().
    class Turn {
    public:
        Turn(Turn&& other) noexcept;
        Turn& operator=(Turn&&) = delete;
        ~Turn();
        void heard();
        void asks();

    private:
        friend class SourceTurns;
        Turn(SourceTurns* turns, std::size_t number) : turns_{turns}, number_{number} {}
        SourceTurns* turns_;
        std::size_t number_;
    };

    /// Nothing where `job` is to come again, after come_again.
    [[nodiscard]] std::optional<Turn> begin(const std::string& job, Source source, Lane lane);
    /// begin() has refused it, and would again.
    [[nodiscard]] bool is_refused(const std::string& job);
    /// No plan of the source may begin now but an urgent one.
    [[nodiscard]] bool is_full(Source source);
    /// How many plans have waited for longer than `patience`.
    [[nodiscard]] std::size_t stuck();

private:
    struct Reading {
        Source source = nullptr;
        Lane lane = Lane::normal;
        std::optional<SteadyTime> asked{};  // Nothing while what it has heard is worked on.
    };
    struct Refused {
        Source source = nullptr;
        Lane lane = Lane::normal;
    };
    // Under the mutex.
    [[nodiscard]] bool refuses(Source source, Lane lane) const;
    [[nodiscard]] bool is_stuck(const Reading& reading) const;

    const Clock& clock_;
    std::mutex mutex_;
    std::size_t begun_ = 0;
    std::map<std::size_t, Reading> readings_;
    std::unordered_map<std::string, Refused> refused_;
};

}  // namespace fanfare
