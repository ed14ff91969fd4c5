#pragma once

#include "core/ledger/chunk_rows.hpp"
#include "core/ledger/replays.hpp"
#include "core/wire/timestamp.hpp"

#include <pqxx/transaction>

#include <string>
#include <vector>

// Whom a replay chooses: one place for counting people and for taking them over.
namespace fanfare::ledger {

/// The jobs `j` and chunks `c` of a filter ($1 to $8), with somebody in them of its outcomes ($9).
#define FANFARE_CHOSEN_JOBS                                                  \
    "($1 = '{}' OR j.id = ANY($1::uuid[])) AND ($2 = '' OR j.system = $2) "  \
    "AND ($3 = '' OR j.kind = $3) AND ($4 = '' OR is_about(j.subject, $4)) " \
    "AND ($5 = '' OR j.body ->> 'source' = $5) "
#define FANFARE_CHOSEN_CHUNKS                                       \
    "($6 < 0 OR c.channel = $6) AND ($7 = '' OR c.account = $7) "   \
    "AND ($8 = '' OR c.updated_at >= nullif($8, '')::timestamptz) " \
    "AND ($9 = '' OR c.updated_at < nullif($9, '')::timestamptz) "  \
    "AND EXISTS (SELECT FROM unnest($10::int[]) AS o(code) WHERE c.tally[o.code + 1] > 0) "

template <class... More>
pqxx::result exec_filtered(pqxx::transaction_base& work, const std::string& sql,
                           const ReplayFilter& filter, const More&... more) {
    postgres::ArrayLiteral outcomes;
    for (const auto outcome : filter.outcomes) outcomes.add(static_cast<std::int64_t>(outcome));
    const auto moment = [](const std::optional<TimePoint>& at) {
        return at ? format_timestamp(*at) : std::string{};
    };
    return work.exec_params(sql, postgres::array_of(filter.jobs), filter.system, filter.kind,
                            filter.subject, filter.source,
                            filter.channel ? static_cast<int>(*filter.channel) : -1, filter.account,
                            moment(filter.since), moment(filter.until), outcomes.text(), more...);
}

/// True for the fate of somebody whom the filter chooses.
[[nodiscard]] bool is_chosen(const ReplayFilter& filter, char outcome, char reason, char cause);

/// Where a channel cannot reach somebody their kind may turn to another one: then that one has
/// them, in a chunk of a channel that the job does not name.
[[nodiscard]] bool may_be_elsewhere(char reason);

/// Of these people those whom a fallback of the job has taken, sorted.
[[nodiscard]] std::vector<std::string> elsewhere(pqxx::transaction_base& work,
                                                 const std::string& job,
                                                 const std::vector<std::string>& people);

/// What a chunk says of its people, from three columns that may be null.
struct Fates {
    std::string outcomes, reasons, causes;
    Fates(const pqxx::row& row, pqxx::row::size_type first, std::size_t size)
        : outcomes{bytes_or_zeros(row[first], size)},
          reasons{bytes_or_zeros(row[first + 1], size)},
          causes{bytes_or_zeros(row[first + 2], size)} {}
};

}  // namespace fanfare::ledger
