#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/vocabulary.hpp"
#include "core/postgres/connection.hpp"
#include "core/systems/system.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {

/// What systems' contact queries say of a person, as they said a moment ago: of jobs that come
/// together each would ask the same, and between its check and its messages more time goes by.
///
/// Bounds    a list a system and channel.
/// Threads   any.
/// Lifetime  the clock outlives it.
class KnownColumns {
public:
    static constexpr std::chrono::seconds good_for{1};
    explicit KnownColumns(const Clock& clock) : clock_{clock} {}

    /// personal_columns() of the channel's contact query. Throws what libpqxx throws.
    [[nodiscard]] std::vector<std::string> find(postgres::Connection& source, const System& system,
                                                Channel channel);

private:
    struct Known {
        SteadyTime until;
        std::vector<std::string> columns;
    };
    const Clock& clock_;
    std::mutex mutex_;
    std::map<std::pair<std::string, Channel>, Known> known_;
};

}  // namespace fanfare
