#pragma once

#include "core/audience/reach.hpp"
#include "core/rendering/content.hpp"
#include "worker/send/claim.hpp"
#include "worker/send/outcome_rules.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace fanfare {

/// Who of a claimed chunk can be reached right now, and how: `targets` are those to be served.
struct Resolved : Contacts {
    std::vector<Fate> fates;            // One a recipient; pending where nothing is decided yet.
    std::vector<Exclusion> exclusions;  // One a recipient: of the addresses that are no targets.
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
[[nodiscard]] ContactsRead load_contacts(postgres::Connection& source, const Claim& claim,
                                         const ledger::ChunkPeople& people, Resolved& resolved);

/// Drops whoever the ledger says is not told (core/audience/reach.hpp). Runs on a thread of the
/// ledger's pool.
void apply_suppressions(postgres::Connection& ledger, const Claim& claim,
                        const ledger::ChunkPeople& people, Resolved& resolved);

/// A chunk that is looked up together with others.
struct PeopleLookup {
    const Claim* claim = nullptr;
    const ledger::ChunkPeople* people = nullptr;
    Resolved* resolved = nullptr;
};

/// load_contacts() of chunks of one system and channel, by one question. False where it raises an
/// error at somebody: nothing is known then, and each is to be asked for alone.
[[nodiscard]] bool load_contacts_together(postgres::Connection& source,
                                          std::span<const PeopleLookup> lookups);

/// Whether what the ledger says of a chunk's people depends on nobody but them, so that
/// apply_suppressions_together() may ask: no cap, and no owners of addresses.
[[nodiscard]] bool may_be_asked_together(const JobContext& job);

/// apply_suppressions() of chunks of one system, channel and list.
void apply_suppressions_together(postgres::Connection& ledger,
                                 std::span<const PeopleLookup> lookups);

}  // namespace fanfare
