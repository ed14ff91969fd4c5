#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace fanfare::simulation {

/// Faults that are planted into the models around the workers, to see that the simulation finds
/// them: what a ledger, a worker's way to it, or the reading of an answer could do wrong.
enum class Plant : std::uint8_t {
    none,
    no_fence,
    claims_claimed,
    forgets_mark,
    mark_unfenced,
    mark_after_begin,
    takeover_keeps_epoch,
    takes_the_living,
    lease_too_short,
    late_overrules,
    record_drops_last,
    forgets_doubt,
    claim_moves_doubt,
    claim_too_early,
    attempts_forgotten,
    sweeps_nothing,
    slice_given_twice,
    block_forgotten,
    mark_hides_cancel,
    claim_ignores_hold,
    ended_takes_claimed,
    expiry_ignored,
    stale_contacts,
    receipt_over_claim,
    receipt_falls,
    early_forgotten,
    replay_of_claimed,
    replay_keeps_old,
    plan_unfenced,
    plan_without_lease,
    cursor_apart,
    job_taken_twice,
    offset_early,
    doubt_as_passing,
    gateway_as_passing,
    unreadable_as_sent,
    partial_as_sent,
    partial_as_passing,
};

struct NamedPlant {
    Plant plant;
    std::string_view name;
    std::string_view what;
};
inline constexpr std::array<NamedPlant, 37> all_plants{{
    {Plant::no_fence, "no_fence", "a record counts whoever holds the chunk"},
    {Plant::claims_claimed, "claims_claimed", "a chunk is claimed though somebody holds it"},
    {Plant::forgets_mark, "forgets_mark", "who had begun is not known after a takeover"},
    {Plant::mark_unfenced, "mark_unfenced", "a mark counts whoever holds the chunk"},
    {Plant::mark_after_begin, "mark_after_begin", "requests begin before their mark is written"},
    {Plant::takeover_keeps_epoch, "takeover_keeps_epoch", "the sweeper takes over without fence"},
    {Plant::takes_the_living, "takes_the_living", "the sweeper takes over before a lease ends"},
    {Plant::lease_too_short, "lease_too_short", "the ledger's lease ends before the worker's"},
    {Plant::late_overrules, "late_overrules", "a late record overrules what is known"},
    {Plant::record_drops_last, "record_drops_last", "a record leaves out its last person"},
    {Plant::forgets_doubt, "forgets_doubt", "a record drops the reasons"},
    {Plant::claim_moves_doubt, "claim_moves_doubt", "doubt goes to another account"},
    {Plant::claim_too_early, "claim_too_early", "a chunk is claimed before its time"},
    {Plant::attempts_forgotten, "attempts_forgotten", "a record drops the attempts"},
    {Plant::sweeps_nothing, "sweeps_nothing", "what is overdue is not brought back"},
    {Plant::slice_given_twice, "slice_given_twice", "two workers get the same slice of the rate"},
    {Plant::block_forgotten, "block_forgotten", "a 429 holds back nobody else"},
    {Plant::mark_hides_cancel, "mark_hides_cancel", "marks do not tell of a cancel"},
    {Plant::claim_ignores_hold, "claim_ignores_hold", "claims and marks take no notice of a pause"},
    {Plant::ended_takes_claimed, "ended_takes_claimed", "a cancel settles chunks that are held"},
    {Plant::expiry_ignored, "expiry_ignored", "nobody looks at the expiry"},
    {Plant::stale_contacts, "stale_contacts", "consent is read when the job is planned"},
    {Plant::receipt_over_claim, "receipt_over_claim", "receipts are written into a held chunk"},
    {Plant::receipt_falls, "receipt_falls", "the receipt that came last counts"},
    {Plant::early_forgotten, "early_forgotten", "receipts of a held chunk are dropped"},
    {Plant::replay_of_claimed, "replay_of_claimed", "a replay takes people of a held chunk"},
    {Plant::replay_keeps_old, "replay_keeps_old", "a replay leaves people in their old chunk"},
    {Plant::plan_unfenced, "plan_unfenced", "a planner writes whoever plans by now"},
    {Plant::plan_without_lease, "plan_without_lease", "a plan is given to whoever asks"},
    {Plant::cursor_apart, "cursor_apart", "chunks and cursor are two transactions"},
    {Plant::job_taken_twice, "job_taken_twice", "a job published twice is two jobs"},
    {Plant::offset_early, "offset_early", "a job's offset is committed before it is taken"},
    {Plant::doubt_as_passing, "doubt_as_passing", "a lost answer is read as not sent"},
    {Plant::gateway_as_passing, "gateway_as_passing", "a gateway's 502 is read as a refusal"},
    {Plant::unreadable_as_sent, "unreadable_as_sent", "a 502 is read as taken"},
    {Plant::partial_as_sent, "partial_as_sent", "of a batch the refused count as sent"},
    {Plant::partial_as_passing, "partial_as_passing", "a batch with one refused goes again"},
}};

}  // namespace fanfare::simulation
