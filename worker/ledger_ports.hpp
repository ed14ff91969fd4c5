#pragma once

#include "worker/intake/intake_store.hpp"
#include "worker/intake/order_check.hpp"
#include "worker/plan/audience_source.hpp"
#include "worker/plan/plan_store.hpp"
#include "worker/receipts/receipt_store.hpp"
#include "worker/send/chunk_store.hpp"
#include "worker/send/contact_source.hpp"
#include "worker/send/dead_addresses.hpp"
#include "worker/send/fleet_store.hpp"
#include "worker/send/job_store.hpp"
#include "worker/send/rate_bucket.hpp"
#include "worker/sweep/job_ends.hpp"
#include "worker/sweep/ledger_time.hpp"
#include "worker/sweep/opt_out_store.hpp"
#include "worker/sweep/sweep_store.hpp"
#include "worker/sweep/write_back_store.hpp"

namespace fanfare {

/// What the stages of a worker ask, on the real databases.
///
/// Lifetime  everything in the parts outlives it.
struct LedgerPorts {
    explicit LedgerPorts(const LedgerSweepStore::Parts& parts)
        : intake{parts.ledger},
          orders{parts.job_contexts, parts.time},
          plans{parts.ledger, parts.job_contexts},
          audiences{parts.ledger, parts.clock},
          chunks{parts.ledger, parts.time},
          bucket{parts.ledger},
          jobs{parts.ledger, parts.job_contexts},
          contacts{parts.ledger},
          dead_addresses{parts.job_contexts},
          fleet{parts.ledger},
          receipts{parts.ledger},
          sweep{parts},
          job_ends{parts.ledger},
          write_backs{parts.ledger},
          done_listeners{parts.job_contexts},
          opt_outs{parts.ledger},
          address_books{parts.job_contexts},
          time{parts.ledger, parts.clock} {}

    LedgerIntakeStore intake;
    DatabaseOrderCheck orders;
    LedgerPlanStore plans;
    DatabaseAudiences audiences;
    LedgerChunkStore chunks;
    LedgerRateBucket bucket;
    LedgerJobStore jobs;
    DatabaseContacts contacts;
    DatabaseDeadAddresses dead_addresses;
    LedgerFleetStore fleet;
    LedgerReceiptStore receipts;
    LedgerSweepStore sweep;
    LedgerJobEnds job_ends;
    LedgerWriteBackStore write_backs;
    DatabaseDoneListeners done_listeners;
    LedgerOptOutStore opt_outs;
    DatabaseAddressBooks address_books;
    DatabaseLedgerTime time;
};

}  // namespace fanfare
