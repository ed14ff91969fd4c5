#include "worker/probes/probes.hpp"

#include "core/wire/job.hpp"
#include "worker/probes/exposition.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {
namespace {

using namespace std::chrono_literals;

/// A family's series whose labels hold `value`; its number, or a histogram's count.
std::optional<double> find_series(const Families& families, const std::string& name,
                                  const std::string& value) {
    for (const auto& family : families) {
        if (family.name != name) continue;
        for (const auto& series : family.metric) {
            bool is_it = value.empty();
            for (const auto& label : series.label) is_it = is_it || label.value == value;
            if (!is_it) continue;
            if (family.type == prometheus::MetricType::Gauge) return series.gauge.value;
            if (family.type == prometheus::MetricType::Counter) return series.counter.value;
            return static_cast<double>(series.histogram.sample_count);
        }
    }
    return std::nullopt;
}

class ProbesTest : public ::testing::Test {
protected:
    std::optional<double> find(const std::string& name, const std::string& value = {}) {
        return find_series(registry->Collect(), name, value);
    }

    std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
    WorkerProbe probe{registry};
};

TEST_F(ProbesTest, WhatMayHappenIsNoughtFromTheStart) {
    EXPECT_EQ(find("fanfare_jobs_total", "rejected"), 0);
    EXPECT_EQ(find("fanfare_receipts_total", "unmatched"), 0);
    EXPECT_EQ(find("fanfare_dead_letters_total", "not_a_descriptor"), 0);
    for (const auto& rejection : rejection_docs()) {
        EXPECT_EQ(find("fanfare_dead_letters_total", std::string{rejection.code}), 0);
    }
    EXPECT_EQ(find("fanfare_job_seconds", "cancelled"), 0);
    const auto& mail = probe.account("mail", Channel::email);
    static_cast<void>(mail);
    for (std::size_t i = 0; i < verdict_count; ++i) {
        const std::string verdict{to_string(static_cast<Verdict>(i))};
        EXPECT_EQ(find("fanfare_requests_total", verdict), 0) << verdict;
    }
}

TEST_F(ProbesTest, AnAnswerCountsItsRequestAndItsPeople) {
    auto& mail = probe.account("mail", Channel::email);
    mail.answered(Verdict::ok, 40, 3ms);
    mail.answered(Verdict::ok, 2, 3ms);
    EXPECT_EQ(find("fanfare_requests_total", "ok"), 2);
    EXPECT_EQ(find("fanfare_request_recipients_total", "ok"), 42);
    EXPECT_EQ(find("fanfare_request_seconds", "mail"), 2);
}

TEST_F(ProbesTest, AnAccountIsOneHoweverOftenItIsAskedFor) {
    EXPECT_EQ(&probe.account("mail", Channel::email), &probe.account("mail", Channel::email));
    EXPECT_NE(&probe.account("mail", Channel::email), &probe.account("post", Channel::email));
}

TEST_F(ProbesTest, ABreakerIsInOneState) {
    auto& mail = probe.account("mail", Channel::email);
    mail.stands({12.5, 7, 1, true});
    EXPECT_EQ(find("fanfare_account_breaker", "half_open"), 1);
    EXPECT_EQ(find("fanfare_account_breaker", "closed"), 0);
    EXPECT_EQ(find("fanfare_account_breaker", "open"), 0);
    EXPECT_EQ(find("fanfare_account_rate_per_second", "mail"), 12.5);
    EXPECT_EQ(find("fanfare_account_tokens_total", "mail"), 7);
    EXPECT_EQ(find("fanfare_account_held", "mail"), 1);
    mail.stands({12.5, 9, 0, false});  // Tokens since the start, not since the last look.
    EXPECT_EQ(find("fanfare_account_tokens_total", "mail"), 9);
    EXPECT_EQ(find("fanfare_account_held", "mail"), 0);
}

TEST_F(ProbesTest, ChunksInFlightAreSummedOverChannels) {
    probe.chunks_in_flight(Channel::email, 2);
    probe.chunks_in_flight(Channel::push, 1);
    probe.chunks_in_flight(Channel::email, -1);
    EXPECT_EQ(probe.chunks_in_flight(), 2);
    EXPECT_EQ(find("fanfare_chunks_in_flight", "email"), 1);
}

TEST_F(ProbesTest, AClockInDoubtIsSaid) {
    probe.clock(-0.25, false);
    EXPECT_EQ(find("fanfare_clock_skew_seconds"), -0.25);
    EXPECT_EQ(find("fanfare_clock_doubted"), 1);
    probe.clock(0, true);
    EXPECT_EQ(find("fanfare_clock_doubted"), 0);
}

TEST_F(ProbesTest, TheLagOfEachTopicIsReadForEachScrapeAndNoughtBeforeTheFirstRecord) {
    kafka::Lags lags;
    const auto exposition =
        worker_exposition(registry, [&lags] { return lags; }, {"jobs", "receipts"}, {});
    const std::string name = "fanfare_kafka_lag_records";
    EXPECT_EQ(find_series(exposition->Collect(), name, "jobs"), 0);
    lags = {{"jobs", 5}, {"somebody else's", 7}};
    const auto families = exposition->Collect();
    EXPECT_EQ(find_series(families, name, "jobs"), 5);
    EXPECT_EQ(find_series(families, name, "receipts"), 0);
    EXPECT_EQ(find_series(families, name, "somebody else's"), std::nullopt);
    EXPECT_EQ(find_series(families, "fanfare_planned_total", "sms"), 0);
}

}  // namespace
}  // namespace fanfare
