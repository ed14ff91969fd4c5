#include "worker/probes/probes.hpp"

#include "core/wire/job.hpp"

namespace fanfare {
namespace {

prometheus::Family<prometheus::Counter>& counters(prometheus::Registry& registry,
                                                  const std::string& name,
                                                  const std::string& help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Gauge>& gauges(prometheus::Registry& registry,
                                              const std::string& name, const std::string& help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

const prometheus::Histogram::BucketBoundaries wait_seconds{0.001, 0.01, 0.1, 0.5, 1, 5, 15, 60};
const prometheus::Histogram::BucketBoundaries job_seconds{0.1, 0.5, 1,    5,     15,   60,
                                                          300, 900, 3600, 14400, 86400};

std::string word(auto value) { return std::string{to_string(value)}; }

}  // namespace

AccountProbe::AccountProbe(prometheus::Registry& registry, const std::string& account,
                           Channel channel) {
    auto& requests = counters(registry, "fanfare_requests_total",
                              "Provider calls by account and what the answer meant");
    auto& recipients = counters(registry, "fanfare_request_recipients_total",
                                "Recipients of provider calls by account and verdict");
    for (std::size_t i = 0; i < verdict_count; ++i) {
        const std::map<std::string, std::string> labels{{"account", account},
                                                        {"channel", word(channel)},
                                                        {"verdict", word(static_cast<Verdict>(i))}};
        requests_[i] = &requests.Add(labels);
        recipients_[i] = &recipients.Add(labels);
    }
    seconds_ = &prometheus::BuildHistogram()
                    .Name("fanfare_request_seconds")
                    .Help("How long provider calls took")
                    .Register(registry)
                    .Add({{"account", account}}, prometheus::Histogram::BucketBoundaries{
                                                     0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                     0.25, 0.5, 1, 2.5, 5, 10, 30});
    paused_ = &gauges(registry, "fanfare_account_paused",
                      "1 while an account is not used because of its credentials or settings")
                   .Add({{"account", account}});
    broken_ = &gauges(registry, "fanfare_account_broken",
                      "1 while an account is not used because it keeps failing")
                   .Add({{"account", account}});
    waits_ = &prometheus::BuildHistogram()
                  .Name("fanfare_account_rate_wait_seconds")
                  .Help("How long chunks waited for an account's rate before they were claimed")
                  .Register(registry)
                  .Add({{"account", account}}, wait_seconds);
    rate_ =
        &gauges(
             registry, "fanfare_account_rate_per_second",
             "The rate of an account for all replicas together, as set by hand or in the settings; "
             "0: no limit")
             .Add({{"account", account}});
    tokens_ = &counters(registry, "fanfare_account_tokens_total",
                        "Tokens of an account's rate that requests of this worker have used")
                   .Add({{"account", account}});
    held_ = &gauges(registry, "fanfare_account_held",
                    "1 while an operator holds an account back, or its channel")
                 .Add({{"account", account}});
    auto& breaker = gauges(registry, "fanfare_account_breaker",
                           "1 for the state that an account's breaker is in");
    constexpr std::array<const char*, 3> states{"closed", "half_open", "open"};
    for (std::size_t i = 0; i < states.size(); ++i) {
        breaker_[i] = &breaker.Add({{"account", account}, {"state", states[i]}});
    }
    credential_until_ =
        &gauges(registry, "fanfare_account_credential_expiry_timestamp_seconds",
                "When the access token of an account ends, Unix time; 0: it has or needs none")
             .Add({{"account", account}});
}

void AccountProbe::answered(Verdict verdict, std::size_t recipients,
                            std::chrono::microseconds elapsed) {
    requests_[static_cast<std::size_t>(verdict)]->Increment();
    recipients_[static_cast<std::size_t>(verdict)]->Increment(static_cast<double>(recipients));
    seconds_->Observe(std::chrono::duration<double>(elapsed).count());
}

void AccountProbe::paused(bool value) { paused_->Set(value ? 1 : 0); }
void AccountProbe::broken(bool value) { broken_->Set(value ? 1 : 0); }

void AccountProbe::stands(const Standing& standing) {
    rate_->Set(standing.rate);
    tokens_->Increment(static_cast<double>(standing.used) - tokens_->Value());
    held_->Set(standing.held ? 1 : 0);
    for (std::size_t i = 0; i < breaker_.size(); ++i) breaker_[i]->Set(i == standing.breaker);
}

void AccountProbe::waited(std::chrono::nanoseconds elapsed) {
    waits_->Observe(std::chrono::duration<double>(elapsed).count());
}

void AccountProbe::credential_until(TimePoint moment) {
    credential_until_->Set(std::chrono::duration<double>(moment.time_since_epoch()).count());
}

WorkerProbe::WorkerProbe(std::shared_ptr<prometheus::Registry> registry)
    : registry_{std::move(registry)} {
    auto& planned = counters(*registry_, "fanfare_planned_total", "Recipients planned");
    auto& in_flight = gauges(*registry_, "fanfare_chunks_in_flight", "Chunks claimed right now");
    for (const auto channel : channels) {
        const auto i = static_cast<std::size_t>(channel);
        planned_[i] = &planned.Add({{"channel", word(channel)}});
        in_flight_[i] = &in_flight.Add({{"channel", word(channel)}});
    }
    left_out_ = &counters(*registry_, "fanfare_recipients_left_out_total",
                          "Recipient ids of audiences that are too long to be planned")
                     .Add({});
    lost_zones_ = &counters(*registry_, "fanfare_readers_without_time_zone_total",
                            "People who were written to and whose time zone is none")
                       .Add({});
    clock_skew_ = &gauges(*registry_, "fanfare_clock_skew_seconds",
                          "How far the database's clock is ahead of this machine's")
                       .Add({});
    clock_doubted_ = &gauges(*registry_, "fanfare_clock_doubted",
                             "1 while the database's clock has jumped and nothing new is begun")
                          .Add({});
    fenced_ = &counters(*registry_, "fanfare_fenced_records_total",
                        "Records refused because another worker had taken the chunk over")
                   .Add({});
    taken_over_ = &counters(*registry_, "fanfare_chunks_taken_over_total",
                            "Chunks whose worker died or stalled")
                       .Add({});
    fetched_ = &counters(*registry_, "fanfare_chunks_fetched_total",
                         "Chunks that nobody had claimed in time, fetched from the ledger")
                    .Add({});
    dropped_ = &counters(*registry_, "fanfare_descriptors_dropped_total",
                         "Descriptors let go because the queue was full; the sweeper brings them "
                         "back")
                    .Add({});
    jobs_ = &counters(*registry_, "fanfare_jobs_total", "Jobs by what became of them");
    dead_letters_ =
        &counters(*registry_, "fanfare_dead_letters_total", "Records refused, by reason");
    receipts_ =
        &counters(*registry_, "fanfare_receipts_total", "Receipts by what they did to the ledger");
    job_seconds_ = &prometheus::BuildHistogram()
                        .Name("fanfare_job_seconds")
                        .Help("From a job's first row in the ledger to its last outcome")
                        .Register(*registry_);
    expect();
}

/// What may happen is there from the start: else the first of a kind is no increase.
void WorkerProbe::expect() {
    for (const char* what :
         {"accepted", "repeated", "rejected", "planned", "plan_retried", "failed"}) {
        jobs_->Add({{"what", what}});
    }
    for (const char* what : {"raised", "unchanged", "early", "unmatched", "refused"}) {
        receipts_->Add({{"what", what}});
    }
    for (const auto& rejection : rejection_docs()) {
        dead_letters_->Add({{"reason", std::string{rejection.code}}});
    }
    for (const char* reason : {"not_a_descriptor", "not_a_receipt"}) {
        dead_letters_->Add({{"reason", reason}});
    }
    for (const char* state : {"done", "failed", "cancelled"}) {
        job_seconds_->Add({{"state", state}}, job_seconds);
    }
}

void WorkerProbe::planned(Channel channel, std::size_t recipients) {
    planned_[static_cast<std::size_t>(channel)]->Increment(static_cast<double>(recipients));
}

void WorkerProbe::clock(double skew_s, bool steady) {
    clock_skew_->Set(skew_s);
    clock_doubted_->Set(steady ? 0 : 1);
}

void WorkerProbe::lost_zones(std::size_t readers) {
    lost_zones_->Increment(static_cast<double>(readers));
}

void WorkerProbe::left_out(std::size_t recipients) {
    left_out_->Increment(static_cast<double>(recipients));
}

void WorkerProbe::chunks_in_flight(Channel channel, int change) {
    in_flight_[static_cast<std::size_t>(channel)]->Increment(change);
}

int WorkerProbe::chunks_in_flight() const {
    double count = 0;
    for (const auto* const gauge : in_flight_) count += gauge->Value();
    return static_cast<int>(count);
}

void WorkerProbe::fenced() { fenced_->Increment(); }
void WorkerProbe::taken_over(std::size_t chunks) {
    taken_over_->Increment(static_cast<double>(chunks));
}
void WorkerProbe::fetched(std::size_t chunks) { fetched_->Increment(static_cast<double>(chunks)); }
void WorkerProbe::dropped_descriptor() { dropped_->Increment(); }
void WorkerProbe::job(const std::string& what) { jobs_->Add({{"what", what}}).Increment(); }
void WorkerProbe::ended(const std::string& state, double seconds) {
    job_seconds_->Add({{"state", state}}, job_seconds).Observe(seconds);
}
void WorkerProbe::dead_letter(const std::string& code) {
    dead_letters_->Add({{"reason", code}}).Increment();
}

void WorkerProbe::receipts(const std::string& what, std::size_t count) {
    if (count > 0) receipts_->Add({{"what", what}}).Increment(static_cast<double>(count));
}

AccountProbe& WorkerProbe::account(const std::string& name, Channel channel) {
    const auto found = accounts_.find(name);
    if (found != accounts_.end()) return found->second;
    return accounts_.emplace(name, AccountProbe{*registry_, name, channel}).first->second;
}

}  // namespace fanfare
