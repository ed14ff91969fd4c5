#include "producer/schedule/probe.hpp"

namespace fanfare {
namespace {

const prometheus::Histogram::BucketBoundaries lag_seconds{
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600};
const prometheus::Histogram::BucketBoundaries query_seconds{
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};

}  // namespace

ScheduleProbe::ScheduleProbe(std::shared_ptr<prometheus::Registry> registry)
    : registry_{std::move(registry)} {
    notifications_ = &prometheus::BuildCounter()
                          .Name("fanfare_notifications_total")
                          .Help("Notifications by what became of them")
                          .Register(*registry_);
    due_query_ = &prometheus::BuildHistogram()
                      .Name("fanfare_due_query_seconds")
                      .Help("How long the due queries take")
                      .Register(*registry_);
    due_failures_ = &prometheus::BuildCounter()
                         .Name("fanfare_due_query_failures_total")
                         .Help("Due queries that ended in a fault")
                         .Register(*registry_);
    unusable_ = &prometheus::BuildGauge()
                     .Name("fanfare_due_rows_unusable")
                     .Help("Rows that the due query gave last and that cannot be used")
                     .Register(*registry_);
    outbox_waits_ = &prometheus::BuildGauge()
                         .Name("fanfare_outbox_unpublished_seconds")
                         .Help("Age of an outbox's oldest row where the broker takes them not all")
                         .Register(*registry_);
    lag_ = &prometheus::BuildHistogram()
                .Name("fanfare_schedule_lag_seconds")
                .Help("From when a notification is due and known to the broker's acknowledgement")
                .Register(*registry_)
                .Add({}, lag_seconds);
    waiting_ = &prometheus::BuildGauge()
                    .Name("fanfare_notifications_waiting")
                    .Help("Notifications scheduled and not yet published")
                    .Register(*registry_)
                    .Add({});
    clock_doubted_ = &prometheus::BuildGauge()
                          .Name("fanfare_clock_doubted")
                          .Help("1 while the database's clock has jumped and nothing new is begun")
                          .Register(*registry_)
                          .Add({});
}

void ScheduleProbe::expect(const Systems& systems) {
    const auto count = [this](const std::string& system, const std::string& kind,
                              std::initializer_list<const char*> whats) {
        for (const char* what : whats) {
            notifications_->Add({{"system", system}, {"kind", kind}, {"what", what}});
        }
    };
    count("", "", {"fenced", "republished", "refused", "given_up"});
    for (const auto& [name, system] : systems) {
        if (!system.outbox.empty()) {
            count(name, "", {"outbox", "rejected"});
            outbox_waits(name, 0);
        }
        for (const auto& [kind, ignored] : system.kinds) {  // Any may be scheduled by the API.
            count(name, kind,
                  {"found", "changed", "cancelled", "stopped", "expired", "published", "rejected",
                   "failed"});
        }
        for (const auto& schedule : system.schedules) {
            const std::map<std::string, std::string> labels{{"system", name},
                                                            {"kind", schedule.kind}};
            due_query_->Add(labels, query_seconds);
            due_failures_->Add(labels);
            unusable_->Add(labels);
        }
    }
}

void ScheduleProbe::outbox_waits(const std::string& system, double oldest_s) {
    outbox_waits_->Add({{"system", system}}).Set(oldest_s);
}

void ScheduleProbe::due_query_failed(const std::string& system, const std::string& kind) {
    due_failures_->Add({{"system", system}, {"kind", kind}}).Increment();
}

void ScheduleProbe::notifications(const std::string& system, const std::string& kind,
                                  const char* what, std::size_t count) {
    if (count == 0) return;
    notifications_->Add({{"system", system}, {"kind", kind}, {"what", what}})
        .Increment(static_cast<double>(count));
}

void ScheduleProbe::published(const ledger::PublishedNotification& notification) {
    notifications(notification.key.system, notification.key.kind, "published", 1);
    lag_->Observe(std::chrono::duration<double>(notification.lag).count());
}

void ScheduleProbe::due_query(const std::string& system, const std::string& kind,
                              std::chrono::nanoseconds elapsed) {
    due_query_->Add({{"system", system}, {"kind", kind}}, query_seconds)
        .Observe(std::chrono::duration<double>(elapsed).count());
}

void ScheduleProbe::unusable(const std::string& system, const std::string& kind, std::size_t rows) {
    unusable_->Add({{"system", system}, {"kind", kind}}).Set(static_cast<double>(rows));
}

}  // namespace fanfare
