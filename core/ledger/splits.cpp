#include "core/ledger/splits.hpp"

#include "core/error/failure.hpp"
#include "core/wire/timestamp.hpp"

#include <pqxx/transaction>

#include <stdexcept>

namespace fanfare::ledger {
namespace {

std::string to_literal(const ChunkPeople& people, std::span<const std::uint32_t> positions) {
    postgres::ArrayLiteral literal;
    for (const auto position : positions) literal.add(people.recipients.elements[position]);
    return literal.text();
}

/// Ours in its old size, or ours in its new one: split before the answer was lost.
enum class Fence : std::uint8_t { lost, held, passed };

Fence shrink(pqxx::transaction_base& work, const ChunkClaim& claim, std::size_t old_count,
             const std::string& kept, std::size_t count) {
    const auto channel = static_cast<int>(claim.key.channel);
    const auto size = static_cast<std::int32_t>(count);
    const auto old_size = static_cast<std::int32_t>(old_count);
    const auto done = work.exec_params(
        "UPDATE chunk SET recipients = $5::text[], size = $6, outcomes = NULL, "
        "reasons = NULL, "
        "attempts = NULL, causes = NULL, begun = NULL, provider_ids = NULL, "
        "tally = NULL, "
        "updated_at = app_now() "
        "WHERE job_id = $1::uuid AND channel = $2 AND number = $3 AND epoch = $4 "
        "AND state = 'claimed' AND size = $7",
        claim.key.job, channel, claim.key.number, claim.epoch, kept, size, old_size);
    if (done.affected_rows() == 1) return Fence::held;
    const auto again = work.exec_params(
        "SELECT 1 FROM chunk WHERE job_id = $1::uuid AND channel = $2 AND number "
        "= $3 "
        "AND epoch = $4 AND state = 'claimed' AND size = $5",
        claim.key.job, channel, claim.key.number, claim.epoch, size);
    return again.empty() ? Fence::lost : Fence::passed;
}

}  // namespace

std::int32_t next_split_number(pqxx::transaction_base& work, const std::string& job) {
    work.exec_params("SELECT 1 FROM job WHERE id = $1::uuid FOR NO KEY UPDATE", job);
    const auto rows = work.exec_params(
        "SELECT coalesce(max(last.number) + 1, $2) FROM (VALUES (0), (1), (2)) "
        "AS ch(code) "
        "CROSS JOIN LATERAL (SELECT max(number) AS number FROM chunk WHERE "
        "job_id = $1::uuid "
        " AND channel = ch.code AND number >= $2 AND number < $3) last",
        job, split_begin, split_end);
    const auto number = rows[0][0].as<std::int32_t>();
    if (number >= split_end) throw postgres::QueryMistake{"the job has too many split chunks"};
    return number;
}

bool split_chunk(Connection& connection, const ChunkClaim& claim, ChunkPeople& people,
                 std::span<const Split> splits) {
    const auto count = people.outcomes.size();
    std::vector<bool> leaves(count);
    for (const auto& split : splits) {
        for (const auto position : split.positions) leaves[position] = true;
    }
    std::vector<std::uint32_t> stay;
    for (std::uint32_t i = 0; i < count; ++i) {
        if (!leaves[i]) stay.push_back(i);
    }
    ensure(!stay.empty(), "somebody stays in a chunk that is split");
    auto kept = to_literal(people, stay);
    pqxx::work work{connection.raw()};
    const auto fence = shrink(work, claim, count, kept, stay.size());
    if (fence == Fence::lost) return false;
    for (std::size_t i = 0; fence == Fence::held && i < splits.size(); ++i) {
        const auto number = next_split_number(work, claim.key.job);
        const auto& split = splits[i];
        work.exec_params(
            "INSERT INTO chunk (job_id, day, channel, number, on_doubt, lane, "
            "next_at, publish_at, "
            "size, recipients) SELECT id, day, $2::smallint, $3::int, "
            "$4::smallint, $5::smallint, "
            "$6::timestamptz, $6::timestamptz, $7::int, $8::text[] FROM job "
            "WHERE id = $1::uuid",
            claim.key.job, static_cast<int>(claim.key.channel), number,
            static_cast<int>(claim.on_doubt), static_cast<int>(claim.lane),
            format_timestamp(split.next_at), static_cast<std::int32_t>(split.positions.size()),
            to_literal(people, split.positions));
    }
    work.commit();
    people.recipients_literal = std::move(kept);
    postgres::parse_array(people.recipients_literal, people.recipients);
    people.outcomes.assign(stay.size(), '\0');
    people.reasons.assign(stay.size(), '\0');
    people.attempts.assign(stay.size(), '\0');
    people.causes.assign(stay.size(), '\0');
    people.provider_ids.clear();
    return true;
}

}  // namespace fanfare::ledger
