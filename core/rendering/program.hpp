#pragma once

#include "core/rendering/clean.hpp"
#include "core/rendering/content.hpp"
#include "core/rendering/position.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// Personal variables that the worker gives to everyone of a chunk or to nobody: the only
/// ones a section may ask for, because the answer is the same for all.
inline constexpr std::array<std::string_view, 1> whole_audience_variables{"unsubscribe_url"};

/// Something wrong at one place of a template.
struct Complaint {
    Position position;
    std::string found;     // "{{nmae}}"
    std::string expected;  // "one of: name, title"
};

/// What a variable is in one job, or in all jobs of a kind.
enum class VariableStanding : std::uint8_t {
    unknown,   // The job does not have it: sections that ask for it are skipped.
    shared,    // The same for everyone.
    personal,  // Differs from person to person.
    optional,  // Shared, but not every job has it: for sections that ask for it.
    foreign,   // No job has it.
};

/// What a variable is worth in one rendering.
struct Binding {
    VariableStanding standing = VariableStanding::unknown;
    const std::string* value = nullptr;  // Of a shared one.
    std::uint16_t slot = 0;              // Of a personal one: index into Content::variables.
};

/// One part of a template (say, the subject) as a flat list of steps.
///
/// Values are only ever appended, never read as template: that is why no value can
/// smuggle in a variable.
///
/// Bounds    what the compiler allows: source_bytes_max, sections_max.
/// Threads   immutable; shared freely.
class Program {
public:
    enum class Verb : std::uint8_t { literal, variable, section, inverted };

    struct Step {
        Verb verb;
        std::uint16_t variable = 0;  // Index into the table of names.
        std::uint32_t begin = 0;     // literal: first byte. section, inverted: unused.
        std::uint32_t end = 0;       // literal: past its last byte; section: the step after it.
        Position position;
        bool is_link = false;  // variable: a URL begins with it.
    };

    Program(PartForm form, std::string literals, std::vector<Step> steps)
        : form_{form}, literals_{std::move(literals)}, steps_{std::move(steps)} {}

    /// Writes the part into `out`. `bindings` follow the table of names the part was
    /// compiled with. Complains about a missing variable, more than `bytes_max` bytes,
    /// and about a link of another scheme than is_safe_link() allows.
    [[nodiscard]] std::optional<Complaint> run(std::span<const std::string> names,
                                               std::span<const Binding> bindings,
                                               std::size_t bytes_max, Text& out) const;

    /// Every complaint of a variable that run() could make for some values of the shared ones,
    /// in the order of their places.
    [[nodiscard]] std::vector<Complaint> check(std::span<const std::string> names,
                                               std::span<const VariableStanding> standings) const;

    /// Calls `take` with the index of each variable that a URL begins with.
    template <class Take>
    void each_link(Take take) const {
        for (const auto& step : steps_) {
            if (step.is_link) take(step.variable);
        }
    }

    /// Calls `take` with the index of each variable that is written or asked for, and its place.
    template <class Take>
    void each_use(Take take) const {
        for (const auto& step : steps_) {
            if (step.verb != Verb::literal) take(step.variable, step.position);
        }
    }

    /// Calls `take` with the index of each variable that is written whatever the job has.
    template <class Take>
    void each_needed(Take take) const {
        for (std::size_t i = 0; i < steps_.size();) {
            const auto& step = steps_[i++];
            if (step.verb == Verb::variable) take(step.variable);
            if (step.verb == Verb::section) i = step.end;
        }
    }

    /// Calls `move` with the position of each step, to be changed.
    template <class Move>
    void each_position(Move move) {
        for (auto& step : steps_) move(step.position);
    }

private:
    PartForm form_;
    std::string literals_;
    std::vector<Step> steps_;
};

}  // namespace fanfare
