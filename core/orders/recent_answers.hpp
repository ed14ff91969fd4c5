#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/vocabulary.hpp"
#include "core/postgres/connection.hpp"
#include "core/systems/system.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace fanfare {

/// What systems' databases said of their queries a moment ago: of jobs that come together each
/// would ask the same, and between its check and its messages more time goes by.
///
/// Bounds    a list a system and channel, a word an audience and parameter.
/// Threads   any.
/// Lifetime  the clock outlives it.
class RecentAnswers {
public:
    static constexpr std::chrono::seconds good_for{1};
    explicit RecentAnswers(const Clock& clock) : clock_{clock} {}

    /// personal_columns() of the channel's contact query. Throws what libpqxx throws.
    [[nodiscard]] std::vector<std::string> columns(postgres::Connection& source,
                                                   const System& system, Channel channel);

    /// Whether the database takes any text for a parameter. Throws what libpqxx throws.
    [[nodiscard]] bool takes_any_text(postgres::Connection& source, const Query& query,
                                      std::size_t parameter);

private:
    template <class Answer>
    struct Known {
        SteadyTime until;
        Answer answer;
    };
    template <class Key, class Ask>
    [[nodiscard]] auto find(std::map<Key, Known<std::invoke_result_t<Ask>>>& known, const Key& key,
                            const Ask& ask);

    const Clock& clock_;
    std::mutex mutex_;
    std::map<std::pair<std::string, Channel>, Known<std::vector<std::string>>> columns_;
    std::map<std::pair<std::string, std::size_t>, Known<bool>> texts_;  // By the query's text.
};

}  // namespace fanfare
