#include "core/ledger/receipts.hpp"

#include "core/audience/address.hpp"
#include "core/domain/doubt.hpp"
#include "core/ledger/bytea.hpp"
#include "core/ledger/chunks.hpp"

#include <fmt/format.h>
#include <pqxx/transaction>

#include <algorithm>
#include <map>

namespace fanfare::ledger {
namespace {

using postgres::ArrayLiteral;

struct Word {
    std::uint32_t position;
    ReceiptEvent event;
};
using Words = std::map<ChunkKey, std::vector<Word>>;  // Sorted: chunks are locked in this order.

/// Which of two outcomes stands; equal ranks leave the first.
int rank(Outcome outcome, Reason reason) {
    switch (outcome) {
        case Outcome::sent:
            return 1;
        case Outcome::delivered:
            return 2;
        case Outcome::refused:
            return reason == Reason::address_invalid ? 4 : 3;
        case Outcome::opened:
            return 5;
        case Outcome::clicked:
            return 6;
        case Outcome::replayed:  // The job that took the person over hears what becomes of them.
            return 7;
        case Outcome::pending:
        case Outcome::retry:
        case Outcome::unknown:
        case Outcome::failed:
        case Outcome::suppressed:
        case Outcome::opted_out:
        case Outcome::no_address:
        case Outcome::expired:
        case Outcome::cancelled:
            return 0;
    }
    return 0;
}

Raised meaning(ReceiptEvent event) {
    switch (event) {
        case ReceiptEvent::accepted:
            return {Outcome::sent, Reason::none};
        case ReceiptEvent::delivered:
        case ReceiptEvent::complained:  // Whoever complains has it.
        case ReceiptEvent::unsubscribed:
            return {Outcome::delivered, Reason::none};
        case ReceiptEvent::opened:
            return {Outcome::opened, Reason::none};
        case ReceiptEvent::clicked:
            return {Outcome::clicked, Reason::none};
        case ReceiptEvent::soft_bounced:
            return {Outcome::refused, Reason::recipient_refused};
        case ReceiptEvent::hard_bounced:
            return {Outcome::refused, Reason::address_invalid};
        case ReceiptEvent::failed:
            return {Outcome::refused, Reason::request_refused};
        case ReceiptEvent::expired:
            return {Outcome::refused, Reason::past_expiry};
        case ReceiptEvent::opted_out:
            return {Outcome::refused, Reason::consent_withdrawn};
    }
    return {Outcome::sent, Reason::none};
}

/// Whether the person has the message, or it is on its way to them.
bool proves_arrival(ReceiptEvent event) {
    const auto outcome = meaning(event).outcome;
    return outcome == Outcome::sent || is_told(outcome);
}

/// Columns of the update, one array literal each.
struct Changes {
    ArrayLiteral jobs, channels, numbers, outcomes, reasons, causes, tallies;
    bool any = false;

    void add(const ChunkKey& key, const std::string& new_outcomes, const std::string& new_reasons,
             const std::string& new_causes) {
        any = true;
        jobs.add(key.job);
        channels.add(static_cast<std::int64_t>(key.channel));
        numbers.add(key.number);
        outcomes.add(encode_bytea(new_outcomes));
        reasons.add(encode_bytea(new_reasons));
        causes.add(new_causes.empty() ? std::string{} : encode_bytea(new_causes));
        tallies.add(fmt::format("{{{}}}", fmt::join(count_outcomes(new_outcomes), ",")));
    }

    void write(pqxx::work& work) const {
        if (!any) return;
        work.exec_params(
            "UPDATE chunk c SET outcomes = decode(substr(w.outcomes, 3), 'hex'), "
            "  reasons = decode(substr(w.reasons, 3), 'hex'), tally = w.tally::int[], "
            "  causes = CASE WHEN w.causes <> '' THEN decode(substr(w.causes, 3), 'hex') END, "
            // What a clock that was ahead has written stays recognizable.
            "  updated_at = greatest(c.updated_at, app_now()) "
            "FROM unnest($1::uuid[], $2::smallint[], $3::int[], $4::text[], $5::text[], "
            "  $6::text[], $7::text[]) "
            "  AS w(job_id, channel, number, outcomes, reasons, tally, causes) "
            "WHERE c.job_id = w.job_id AND c.channel = w.channel AND c.number = w.number",
            jobs.text(), channels.text(), numbers.text(), outcomes.text(), reasons.text(),
            tallies.text(), causes.text());
    }
};

/// Words as columns of a statement.
struct WordColumns {
    ArrayLiteral jobs, channels, numbers, positions, events;
    bool any = false;

    void add(const ChunkKey& key, const Word& word) {
        any = true;
        jobs.add(key.job);
        channels.add(static_cast<std::int64_t>(key.channel));
        numbers.add(key.number);
        positions.add(word.position);
        events.add(static_cast<std::int64_t>(word.event));
    }
};

/// Receipts of chunks that a worker holds: its record would overwrite them.
struct Early : WordColumns {
    void write(pqxx::work& work) const {
        if (!any) return;
        work.exec_params(
            "INSERT INTO early_receipt (job_id, channel, number, position, event) "
            "SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::int[], $4::int[], "
            "$5::smallint[])",
            jobs.text(), channels.text(), numbers.text(), positions.text(), events.text());
    }
};

pqxx::result lock_chunks(pqxx::work& work, const Words& words) {
    ArrayLiteral jobs, channels, numbers;
    for (const auto& [key, events] : words) {
        jobs.add(key.job);
        channels.add(static_cast<std::int64_t>(key.channel));
        numbers.add(key.number);
    }
    return work.exec_params(
        "SELECT c.job_id, c.channel, c.number, c.state = 'claimed', c.size, c.outcomes, c.reasons, "
        "c.causes "
        "FROM unnest($1::uuid[], $2::smallint[], $3::int[]) WITH ORDINALITY "
        "  AS w(job_id, channel, number, position) "
        "JOIN chunk c USING (job_id, channel, number) ORDER BY w.position FOR UPDATE OF c",
        jobs.text(), channels.text(), numbers.text());
}

/// Words about people whom a later job has taken over.
struct Forwards : WordColumns {
    /// False for what says that the old message failed: that says nothing of the new one.
    bool take(const ChunkKey& key, const Word& word) {
        if (!proves_arrival(word.event)) return false;
        add(key, word);
        return true;
    }
    /// Where they stand now.
    [[nodiscard]] Words find(pqxx::work& work) const {
        Words words;
        if (!any) return words;
        const auto rows = work.exec_params(
            "SELECT c.job_id, c.channel, c.number, array_position(c.recipients, p.id) - 1, w.event "
            "FROM unnest($1::uuid[], $2::smallint[], $3::int[], $4::int[], $5::smallint[]) "
            "  AS w(job_id, channel, number, position, event) "
            "JOIN chunk old USING (job_id, channel, number) "
            "CROSS JOIN LATERAL (SELECT old.recipients[w.position + 1] AS id) p "
            "JOIN job j ON j.replay_of = w.job_id "
            "JOIN chunk c ON c.job_id = j.id AND c.channel = w.channel "
            "WHERE c.recipients[1] <= p.id COLLATE \"C\" "
            "AND c.recipients[c.size] >= p.id COLLATE \"C\" "
            "AND array_position(c.recipients, p.id) IS NOT NULL",
            jobs.text(), channels.text(), numbers.text(), positions.text(), events.text());
        for (const auto& row : rows) {
            words[{row[0].c_str(), static_cast<Channel>(row[1].as<int>()),
                   row[2].as<std::int32_t>()}]
                .push_back(
                    {row[3].as<std::uint32_t>(), static_cast<ReceiptEvent>(row[4].as<int>())});
        }
        return words;
    }
};

ReceiptTally apply_words(pqxx::work& work, const Words& words) {
    ReceiptTally tally;
    Forwards forwards;
    std::size_t matched = 0;
    Changes changes;
    Early early;
    for (const auto& row : lock_chunks(work, words)) {
        const ChunkKey key{row[0].c_str(), static_cast<Channel>(row[1].as<int>()),
                           row[2].as<std::int32_t>()};
        const auto& events = words.at(key);
        if (row[3].as<bool>()) {
            for (const auto& word : events) early.add(key, word);
            tally.early += events.size();
            matched += events.size();
            continue;
        }
        const auto size = row[4].as<std::size_t>();
        auto outcomes = row[5].is_null() ? std::string(size, '\0') : decode_bytea(row[5].c_str());
        auto reasons = row[6].is_null() ? std::string(size, '\0') : decode_bytea(row[6].c_str());
        auto causes = row[7].is_null() ? std::string{} : decode_bytea(row[7].c_str());
        bool changed = false;
        for (const auto& word : events) {
            if (word.position >= size) continue;
            ++matched;
            auto& outcome = outcomes[word.position];
            auto& reason = reasons[word.position];
            if (static_cast<Outcome>(outcome) == Outcome::replayed) {
                tally.unchanged += forwards.take(key, word) ? 0U : 1U;
                continue;
            }
            const auto raised =
                raise(static_cast<Outcome>(outcome), static_cast<Reason>(reason), word.event);
            if (!raised) {
                ++tally.unchanged;
                continue;
            }
            outcome = static_cast<char>(raised->outcome);
            reason = static_cast<char>(raised->reason);
            // A receipt settles doubt, and with it what came after it.
            if (!causes.empty()) causes[word.position] = '\0';
            changed = true;
            ++tally.raised;
        }
        if (changed) changes.add(key, outcomes, reasons, causes);
    }
    changes.write(work);
    early.write(work);
    std::size_t all = 0;
    for (const auto& [key, events] : words) all += events.size();
    tally.unmatched = all - matched;
    if (const auto theirs = forwards.find(work); !theirs.empty()) {
        const auto more = apply_words(work, theirs);
        tally.raised += more.raised;
        tally.unchanged += more.unchanged;
        tally.early += more.early;
    }
    return tally;
}

}  // namespace

std::optional<Raised> raise(Outcome outcome, Reason reason, ReceiptEvent event) {
    const auto next = meaning(event);
    if (rank(next.outcome, next.reason) <= rank(outcome, reason)) return std::nullopt;
    return next;
}

ReceiptTally apply_receipts(Connection& connection, std::span<const ReceiptBatch> batches) {
    Words words;
    for (const auto& batch : batches) {
        if (batch.job.empty()) continue;
        auto& events = words[{batch.job, batch.channel, static_cast<std::int32_t>(batch.chunk)}];
        for (const auto& receipt : batch.receipts) {
            events.push_back({receipt.reference.position, receipt.event});
        }
    }
    if (words.empty()) return {};
    pqxx::work work{connection.raw()};
    const auto tally = apply_words(work, words);
    work.commit();
    return tally;
}

ReceiptTally apply_early_receipts(Connection& connection, int limit) {
    if (!postgres::finds(connection, "SELECT 1 FROM early_receipt LIMIT 1")) return {};
    pqxx::work work{connection.raw()};
    const auto rows = connection.exec_prepared(
        work,
        "DELETE FROM early_receipt WHERE id IN ("
        "  SELECT e.id FROM early_receipt e LEFT JOIN chunk c USING (job_id, channel, number) "
        "  WHERE c.state IS DISTINCT FROM 'claimed' ORDER BY e.id LIMIT $1 "
        "  FOR UPDATE OF e SKIP LOCKED) "
        "RETURNING job_id, channel, number, position, event",
        limit);
    Words words;
    for (const auto& row : rows) {
        words[{row[0].c_str(), static_cast<Channel>(row[1].as<int>()), row[2].as<std::int32_t>()}]
            .push_back({row[3].as<std::uint32_t>(), static_cast<ReceiptEvent>(row[4].as<int>())});
    }
    ReceiptTally tally;
    if (!words.empty()) tally = apply_words(work, words);
    work.commit();
    return tally;
}

std::size_t count_soft_bounces(Connection& connection, std::span<const ReceiptBatch> batches,
                               int in_a_row_max) {
    ArrayLiteral bounce_channels, bounces, bounce_times;
    ArrayLiteral good_channels, good;
    bool any_bounce = false;
    bool any_good = false;
    for (const auto& batch : batches) {
        for (const auto& receipt : batch.receipts) {
            const auto found = find_compared_form(batch.channel, receipt.address, Plus::optional);
            if (!found) continue;
            const auto& address = *found;
            if (receipt.event == ReceiptEvent::soft_bounced) {
                any_bounce = true;
                bounce_channels.add(static_cast<std::int64_t>(batch.channel));
                bounces.add(address);
                bounce_times.add(receipt.at_unix);
            } else if (receipt.event == ReceiptEvent::delivered) {
                any_good = true;
                good_channels.add(static_cast<std::int64_t>(batch.channel));
                good.add(address);
            }
        }
    }
    if (!any_bounce && !any_good) return 0;
    pqxx::work work{connection.raw()};
    // Most addresses never bounced: one look spares the search for each.
    if (any_good && !work.exec("SELECT 1 FROM soft_bounce LIMIT 1").empty()) {
        work.exec_params(
            "DELETE FROM soft_bounce WHERE (channel, address) IN "
            "(SELECT * FROM unnest($1::smallint[], $2::text[]))",
            good_channels.text(), good.text());
    }
    std::size_t suppressed = 0;
    if (any_bounce) {
        // A repeated receipt has the time of the first and counts once.
        suppressed =
            work.exec_params(
                    "WITH counted AS (INSERT INTO soft_bounce AS s "
                    "  (channel, address, in_a_row, last_at) "
                    "  SELECT w.channel, w.address, count(DISTINCT w.at), "
                    "    to_timestamp(max(w.at)) "
                    "  FROM unnest($1::smallint[], $2::text[], $3::bigint[]) "
                    "    AS w(channel, address, at) GROUP BY 1, 2 ORDER BY 1, 2 "
                    "  ON CONFLICT (channel, address) DO UPDATE "
                    "    SET in_a_row = s.in_a_row + excluded.in_a_row, "
                    "        last_at = excluded.last_at "
                    "    WHERE excluded.last_at > s.last_at "
                    "  RETURNING channel, address, in_a_row) "
                    "INSERT INTO suppression (channel, address, reason, source) "
                    "SELECT channel, address, 'soft_bounces', 'receipt' FROM counted "
                    "WHERE in_a_row >= $4 ON CONFLICT DO NOTHING",
                    bounce_channels.text(), bounces.text(), bounce_times.text(), in_a_row_max)
                .affected_rows();
    }
    work.commit();
    return suppressed;
}

}  // namespace fanfare::ledger
