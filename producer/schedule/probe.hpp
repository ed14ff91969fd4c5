#pragma once

#include "core/ledger/notifications.hpp"
#include "core/systems/system.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <memory>
#include <string>

namespace fanfare {

/// What the scheduler does, in numbers.
///
/// Threads   any.
class ScheduleProbe {
public:
    explicit ScheduleProbe(std::shared_ptr<prometheus::Registry> registry);

    /// What these systems may count is there from now on, as 0.
    void expect(const Systems& systems);

    /// `what`: found, changed, cancelled, stopped, expired, published, rejected, failed; of an
    /// outbox, whose rows have no kind: outbox, rejected; of no system in particular: fenced, and
    /// of jobs that no worker took: republished, refused, given_up.
    void notifications(const std::string& system, const std::string& kind, const char* what,
                       std::size_t count);
    void published(const ledger::PublishedNotification& notification);
    void due_query(const std::string& system, const std::string& kind,
                   std::chrono::nanoseconds elapsed);
    void due_query_failed(const std::string& system, const std::string& kind);
    void outbox_waits(const std::string& system, double oldest_s);
    void unusable(const std::string& system, const std::string& kind, std::size_t rows);
    void waiting(std::int64_t count) { waiting_->Set(static_cast<double>(count)); }
    void clock_doubted(bool doubted) { clock_doubted_->Set(doubted ? 1 : 0); }
    [[nodiscard]] const std::shared_ptr<prometheus::Registry>& registry() const noexcept {
        return registry_;
    }

private:
    std::shared_ptr<prometheus::Registry> registry_;
    prometheus::Family<prometheus::Counter>* notifications_;
    prometheus::Family<prometheus::Histogram>* due_query_;
    prometheus::Family<prometheus::Counter>* due_failures_;
    prometheus::Family<prometheus::Gauge>* unusable_;
    prometheus::Family<prometheus::Gauge>* outbox_waits_;
    prometheus::Histogram* lag_;
    prometheus::Gauge* waiting_;
    prometheus::Gauge* clock_doubted_;
};

}  // namespace fanfare
