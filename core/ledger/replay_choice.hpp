#pragma once

#include "core/ledger/chunk_rows.hpp"
#include "core/ledger/replays.hpp"
#include "core/wire/timestamp.hpp"

#include <pqxx/transaction>

#include <map>
#include <string>
#include <vector>

// Whom a replay chooses: one place for counting people and for taking them over.
namespace fanfare::ledger {

/// The jobs `j` of a filter ($1 to $6), and those of their chunks `c` ($7 to $10) with somebody in
/// them of its outcomes ($11).
#define FANFARE_CHOSEN_JOBS                                                  \
    "($1 = '{}' OR j.id = ANY($1::uuid[])) AND ($2 = '' OR j.system = $2) "  \
    "AND ($3 = '{}' OR j.system = ANY($3::text[])) "                         \
    "AND ($4 = '' OR j.kind = $4) AND ($5 = '' OR is_about(j.subject, $5)) " \
    "AND ($6 = '{}' OR j.body ->> 'source' = ANY($6::text[])) "
/// When a chunk's people got their outcomes. A receipt for any of them touches the chunk; only of a
/// refusal it is the moment itself.
#define FANFARE_RECORDED \
    "CASE WHEN $11::int[] = '{5}' OR c.state <> 'done' THEN c.updated_at ELSE c.next_at END"
#define FANFARE_CHOSEN_CHUNKS                                     \
    "($7 < 0 OR c.channel = $7) AND ($8 = '' OR c.account = $8) " \
    "AND ($9 = '' OR " FANFARE_RECORDED                           \
    " >= nullif($9, '')::timestamptz) "                           \
    "AND ($10 = '' OR " FANFARE_RECORDED                          \
    " < nullif($10, '')::timestamptz) "                           \
    "AND EXISTS (SELECT FROM unnest($11::int[]) AS o(code) WHERE c.tally[o.code + 1] > 0) "

template <class... More>
pqxx::result exec_filtered(pqxx::transaction_base& work, const std::string& sql,
                           const ReplayFilter& filter, const More&... more) {
    postgres::ArrayLiteral outcomes;
    for (const auto outcome : filter.outcomes) outcomes.add(static_cast<std::int64_t>(outcome));
    const auto moment = [](const std::optional<TimePoint>& at) {
        return at ? format_timestamp(*at) : std::string{};
    };
    return work.exec_params(sql, postgres::to_array_literal(filter.jobs), filter.system,
                            postgres::to_array_literal(filter.systems), filter.kind, filter.subject,
                            postgres::to_array_literal(filter.sources),
                            filter.channel ? static_cast<int>(*filter.channel) : -1, filter.account,
                            moment(filter.since), moment(filter.until), outcomes.text(), more...);
}

/// What a chunk says of its people, from three columns that may be null.
struct Fates {
    std::string outcomes, reasons, causes;
    Fates(const pqxx::row& row, pqxx::row::size_type first, std::size_t size)
        : outcomes{bytes_or_zeros(row[first], size)},
          reasons{bytes_or_zeros(row[first + 1], size)},
          causes{bytes_or_zeros(row[first + 2], size)} {}
};

/// What becomes of one person of a chunk.
enum class Choice : std::uint8_t {
    no,          // Not asked for.
    taken,       // Taken over.
    elsewhere,   // The channel that their kind turns to has them.
    told_since,  // A later job about the same has told them.
    called_off,  // What the job was about is gone, or was cancelled.
};

/// A chunk of a job that is replayed, and its people, one of each by position.
struct ChunkChoice {
    ChunkKey key;
    Fates fates;
    postgres::TextArray recipients{};  // Needed where Chooser::needs_people() says so.
    std::vector<Choice> choices{};
};

/// Chooses people out of chunks of a filter's jobs, as they are in one transaction.
class Chooser {
public:
    Chooser(pqxx::transaction_base& work, const ReplayFilter& filter);

    /// True where one must know who the people are.
    [[nodiscard]] bool needs_people(const ChunkChoice& chunk) const;
    /// Fills in the choices; one question a job and channel for all of `chunks`. Of those without
    /// recipients everybody who is asked for counts as taken.
    void choose(std::vector<ChunkChoice>& chunks) const;

private:
    /// What may keep people of a job where they are.
    struct Traits {
        bool turned = false;  // Some of its people were turned to another channel.
        bool later = false;   // There is a later job about the same.
        bool called_off = false;
    };
    [[nodiscard]] Traits find_traits(const ChunkKey& key) const;
    [[nodiscard]] bool is_chosen(const Fates& fates, std::size_t position) const;

    pqxx::transaction_base& work_;
    const ReplayFilter& filter_;
    std::map<std::string, Traits, std::less<>> traits_;
};

}  // namespace fanfare::ledger
