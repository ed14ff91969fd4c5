#pragma once

#include "core/postgres/connection.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

/// How often people were told of a kind. Functions block, throw what libpqxx throws, and belong
/// inside postgres::Pool::run(). Counting is part of record_chunks().
namespace fanfare::ledger {

using postgres::Connection;

struct CapQuestion {
    std::string system;
    std::string kind;
    std::string job;  // Does not count itself: it may reach a person on several channels.
    std::int32_t count = 0;
    std::chrono::hours window{0};
};

/// Those of `recipients` (an array literal) whom `count` jobs have reached within the window.
[[nodiscard]] std::vector<std::string> over_cap(Connection& connection, const CapQuestion& question,
                                                const std::string& recipients);

}  // namespace fanfare::ledger
