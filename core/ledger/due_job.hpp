#pragma once

#include "core/ledger/api_notifications.hpp"
#include "core/wire/job.hpp"

#include <variant>

namespace fanfare {

/// The job of a notification that is due, with the defaults of its kind; or why there can be
/// none. Pure: the same notification is the same job, whoever publishes it.
[[nodiscard]] std::variant<Job, Rejection> due_job(const ledger::ClaimedNotification& notification,
                                                   const Systems& systems);
[[nodiscard]] std::variant<Job, Rejection> due_job(const ledger::NotificationDetail& notification,
                                                   const Systems& systems);

/// The subject where a job may have it, otherwise an id derived from it.
[[nodiscard]] std::string compose_subject(const ledger::NotificationKey& key);

/// derivation_name(key) where that may be an idempotency key, otherwise the job's id.
[[nodiscard]] std::string compose_idempotency_key(const ledger::NotificationKey& key);

}  // namespace fanfare
