#pragma once

#include "worker/intake/intake_store.hpp"
#include "worker/intake/order_check.hpp"
#include "worker/plan/audience_source.hpp"
#include "worker/plan/plan_store.hpp"
#include "worker/send/chunk_store.hpp"
#include "worker/send/contact_source.hpp"
#include "worker/send/dead_addresses.hpp"
#include "worker/send/job_store.hpp"
#include "worker/send/rate_bucket.hpp"
#include "worker/sweep/sweep_store.hpp"

namespace fanfare {

/// What the stages of a worker ask, on the real databases.
///
/// Lifetime  everything in the parts outlives it.
struct LedgerPorts {
    explicit LedgerPorts(const LedgerSweepStore::Parts& parts)
        : intake{parts.ledger},
          orders{parts.job_contexts, parts.time},
          plans{parts.ledger, parts.job_contexts},
          audiences{parts.ledger},
          chunks{parts.ledger},
          bucket{parts.ledger},
          jobs{parts.ledger, parts.job_contexts},
          contacts{parts.ledger},
          dead_addresses{parts.ledger, parts.job_contexts},
          sweep{parts} {}

    LedgerIntakeStore intake;
    DatabaseOrderCheck orders;
    LedgerPlanStore plans;
    DatabaseAudiences audiences;
    LedgerChunkStore chunks;
    LedgerRateBucket bucket;
    LedgerJobStore jobs;
    DatabaseContacts contacts;
    DatabaseDeadAddresses dead_addresses;
    LedgerSweepStore sweep;
};

}  // namespace fanfare
