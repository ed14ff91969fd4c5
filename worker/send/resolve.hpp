#pragma once

#include "core/ledger/chunks.hpp"
#include "worker/rendering/content.hpp"
#include "worker/send/job_context.hpp"
#include "worker/send/outcome_rules.hpp"

#include <pqxx/result>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// One address of one recipient that is to be served now.
struct Target {
    std::uint32_t recipient = 0;  // Index into the chunk.
    std::int32_t row = 0;         // Of Resolved::contacts.
    std::string_view address;     // As it is sent to.
    std::string_view written;     // As the system has it.
};

/// Who of a claimed chunk can be reached right now, and how.
struct Resolved {
    pqxx::result contacts;          // Keeps the bytes that the views point into.
    std::deque<std::string> forms;  // Addresses that the source writes otherwise.
    std::vector<Target> targets;
    std::vector<Fate> fates;  // One a recipient; pending where nothing is decided yet.
    std::vector<bool> seen;   // One a recipient: the contact query knows them.
};

/// How reading contacts ended.
enum class ContactsRead : std::uint8_t {
    whole,
    part,   // Too many raise errors: those found so far have their fate, nobody else was read.
    fails,  // The query fails, whoever is asked for.
    slow,   // It took longer than a statement may.
};

/// Looks up addresses, consents and locales as they are now. Runs on a thread of the source
/// pool. Recipients whose outcome is final are left alone; those without a live address get
/// their fate here, and so do those at whom the query raises an error: the question, not the chunk,
/// is halved until only they are left in it. Throws when the database is away.
[[nodiscard]] ContactsRead load_contacts(postgres::Connection& source, const JobContext& job,
                                         const ledger::ClaimedChunk& chunk, Resolved& resolved);

/// Drops people who unsubscribed from the kind's list or are over its cap, suppressed addresses
/// and, for kinds that dedupe by address, those that another person of the audience owns. Runs on a
/// thread of the ledger's pool.
void apply_suppressions(postgres::Connection& ledger, const JobContext& job,
                        const ledger::ClaimedChunk& chunk, Resolved& resolved);

}  // namespace fanfare
