#include "core/ledger/replay_choice.hpp"

#include "core/ledger/columns.hpp"
#include "core/ledger/splits.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace fanfare::ledger {
namespace {

using Names = std::set<std::string, std::less<>>;

bool contains(const auto& range, const auto& value) {
    return std::find(range.begin(), range.end(), value) != range.end();
}

/// Where a channel cannot reach somebody their kind may turn to another one: then that one has
/// them, in a chunk of a channel that the job does not name.
bool may_be_elsewhere(char reason) {
    return static_cast<Reason>(reason) == Reason::address_invalid;
}

Names read_names(const pqxx::result& rows) {
    Names names;
    for (const auto& row : rows) names.emplace(row[0].c_str(), row[0].size());
    return names;
}

/// People of some chunks about whom the ledger is asked at once.
struct Asked {
    postgres::ArrayLiteral people, numbers;
    std::vector<std::pair<std::string_view, Choice*>> places;

    void add(std::string_view name, Choice& place) {
        people.add(name);
        places.emplace_back(name, &place);
    }
    void mark(const Names& found, Choice choice) const {
        for (const auto& [name, place] : places) {
            if (*place == Choice::taken && found.contains(name)) *place = choice;
        }
    }
};

/// A fallback has its source's number, or one of those that were split off.
Names elsewhere(pqxx::transaction_base& work, const std::string& job, const Asked& asked) {
    return read_names(work.exec_params(
        "SELECT u.recipient FROM job j JOIN chunk c ON c.job_id = j.id "
        "CROSS JOIN LATERAL unnest(c.recipients) AS u(recipient) WHERE j.id = $1::uuid "
        "AND NOT (j.body -> 'channels') ? (SELECT name FROM channel WHERE code = c.channel) "
        "AND (c.number = ANY($3::int[]) OR c.number >= $4) AND u.recipient = ANY($2::text[])",
        job, asked.people.text(), asked.numbers.text(), split_begin));
}

/// Jobs `later` about the same as `j`, ordered after the first of its chain, and not of that.
#define FANFARE_LATER                                                   \
    "job later WHERE later.system = j.system AND later.kind = j.kind "  \
    "AND later.subject = j.subject AND j.subject <> '' "                \
    "AND coalesce(later.origin, later.id) <> coalesce(j.origin, j.id) " \
    "AND later.created_at > (SELECT first.created_at FROM job first "   \
    " WHERE first.id = coalesce(j.origin, j.id)) "

Names told_since(pqxx::transaction_base& work, const ChunkKey& key, const Asked& asked) {
    return read_names(work.exec_params(
        "SELECT u.recipient FROM job j CROSS JOIN LATERAL (SELECT later.id FROM " FANFARE_LATER
        ") l JOIN chunk c ON c.job_id = l.id AND c.channel = $2 "
        "CROSS JOIN LATERAL unnest(c.recipients) WITH ORDINALITY AS u(recipient, position) "
        "WHERE j.id = $1::uuid AND u.recipient = ANY($3::text[]) AND " FANFARE_MAY_BE_TOLD,
        key.job, static_cast<int>(key.channel), asked.people.text()));
}

}  // namespace

Chooser::Chooser(pqxx::transaction_base& work, const ReplayFilter& filter)
    : work_{work}, filter_{filter} {
    const auto rows = exec_filtered(
        work,
        "SELECT j.id, t.turned, t.later, t.called_off FROM job j CROSS JOIN LATERAL (SELECT "
        "EXISTS (SELECT FROM channel ch WHERE j.planned[ch.code + 1] > 0 "
        " AND NOT (j.body -> 'channels') ? ch.name) AS turned, "
        "EXISTS (SELECT FROM " FANFARE_LATER
        ") AS later, "
        "(j.state = 'cancelled' OR j.called_off_at IS NOT NULL) AS called_off) t "
        "WHERE " FANFARE_CHOSEN_JOBS
        "AND (t.turned OR t.later OR t.called_off) "
        "AND EXISTS (SELECT FROM chunk c WHERE c.job_id = j.id AND " FANFARE_CHOSEN_CHUNKS ")",
        filter);
    for (const auto& row : rows) {
        traits_[row[0].c_str()] = {row[1].as<bool>(), row[2].as<bool>(), row[3].as<bool>()};
    }
}

Chooser::Traits Chooser::find_traits(const ChunkKey& key) const {
    const auto found = traits_.find(key.job);
    return found == traits_.end() ? Traits{} : found->second;
}

bool Chooser::is_chosen(const Fates& fates, std::size_t position) const {
    if (!contains(filter_.outcomes, static_cast<Outcome>(fates.outcomes[position]))) return false;
    return filter_.reasons.empty() ||
           contains(filter_.reasons, static_cast<Reason>(fates.reasons[position])) ||
           contains(filter_.reasons, static_cast<Reason>(fates.causes[position]));
}

bool Chooser::needs_people(const ChunkChoice& chunk) const {
    const auto traits = find_traits(chunk.key);
    if (traits.called_off || (!traits.turned && !traits.later)) return false;
    for (std::size_t i = 0; i < chunk.fates.outcomes.size(); ++i) {
        if (!is_chosen(chunk.fates, i)) continue;
        if (traits.later || may_be_elsewhere(chunk.fates.reasons[i])) return true;
    }
    return false;
}

void Chooser::choose(std::vector<ChunkChoice>& chunks) const {
    std::map<std::string, Asked> turned;
    std::map<ChunkKey, Asked> later;  // Of all numbers: the key's is 0.
    for (auto& chunk : chunks) {
        const bool known = !chunk.recipients.elements.empty();
        auto traits = find_traits(chunk.key);
        if (!known || traits.called_off) traits.turned = traits.later = false;
        chunk.choices.assign(chunk.fates.outcomes.size(), Choice::no);
        bool any_turned = false;
        for (std::size_t i = 0; i < chunk.choices.size(); ++i) {
            if (!is_chosen(chunk.fates, i)) continue;
            auto& choice = chunk.choices[i];
            choice = traits.called_off ? Choice::called_off : Choice::taken;
            if (traits.turned && may_be_elsewhere(chunk.fates.reasons[i])) {
                turned[chunk.key.job].add(chunk.recipients.elements[i], choice);
                any_turned = true;
            }
            if (traits.later) {
                later[{chunk.key.job, chunk.key.channel, 0}].add(chunk.recipients.elements[i],
                                                                 choice);
            }
        }
        if (any_turned) turned[chunk.key.job].numbers.add(chunk.key.number);
    }
    for (const auto& [job, asked] : turned) {
        asked.mark(elsewhere(work_, job, asked), Choice::elsewhere);
    }
    for (const auto& [key, asked] : later) {
        asked.mark(told_since(work_, key, asked), Choice::told_since);
    }
}

}  // namespace fanfare::ledger
