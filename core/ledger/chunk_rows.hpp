#pragma once

#include "core/ledger/chunks.hpp"

#include <pqxx/result>

#include <string>
#include <string_view>
#include <vector>

/// How chunks are named and read in SQL; for the ledger's own sources.
namespace fanfare::ledger {

/// The row `c` of the key in `w`, whatever its state. By the primary key, for any statistics: a
/// LIMIT leaves no join to choose, and no word about the state lets a partial index in. What is
/// said about the state stands outside, in a CASE. `lock`: "" or FOR UPDATE SKIP LOCKED.
#define FANFARE_ROW_OF_W(columns, lock)                                  \
    "CROSS JOIN LATERAL (SELECT " columns                                \
    " FROM chunk k WHERE k.job_id = w.job_id AND k.channel = w.channel " \
    " AND k.number = w.number LIMIT 1 " lock ") c "
#define FANFARE_KEYS_EQUAL(a, b) \
    a ".job_id = " b ".job_id AND " a ".channel = " b ".channel AND " a ".number = " b ".number "

/// Three parallel array literals for unnest().
struct KeyArrays {
    postgres::ArrayLiteral jobs, channels, numbers;
    void add(const ChunkKey& key) {
        jobs.add(key.job);
        channels.add(static_cast<std::int64_t>(key.channel));
        numbers.add(key.number);
    }
};

/// Of a row that begins with job_id, channel, number.
[[nodiscard]] ChunkKey read_key(const pqxx::row& row);

/// A bytea of one byte a recipient; null: zeros.
[[nodiscard]] std::string bytes_or_zeros(const pqxx::field& field, std::size_t count);

/// provider_ids, one a recipient; null: none.
[[nodiscard]] std::vector<std::string> ids_or_none(const pqxx::field& field, std::size_t count);

/// For a text[] of bytea: hexadecimal, "" where every byte is zero or there is none.
[[nodiscard]] std::string hex_or_none(std::string_view bytes);

}  // namespace fanfare::ledger
