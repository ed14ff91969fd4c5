#include "worker/send/known_jobs.hpp"

#include "tests/support/coroutines.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace fanfare {
namespace {

namespace asio = boost::asio;

class KnownJobsTest : public ::testing::Test, public JobStore {
protected:
    asio::awaitable<Result<Context>> load(const std::string& job) override {
        ++loads;
        if (is_away) co_return fail(Errc::store_unavailable, "load a job");
        auto context = std::make_shared<JobContext>();
        context->job.id = job;
        context->bytes = bytes;
        co_return Context{std::move(context)};
    }
    Result<Context> find(const std::string& job) { return test::run(loop, jobs.find(job)); }

    bool is_away = false;
    std::size_t bytes = 1'000;
    int loads = 0;
    asio::io_context loop{1};
    KnownJobs jobs{*this};
};

TEST_F(KnownJobsTest, AJobOfManyChunksIsReadOnce) {
    for (int chunk = 0; chunk < 1'000; ++chunk) {
        ASSERT_EQ(find("a").value()->job.id, "a");
        ASSERT_EQ(find("b").value()->job.id, "b");
    }
    EXPECT_EQ(loads, 2);
}

TEST_F(KnownJobsTest, WhatCouldNotBeReadIsAskedForAgain) {
    is_away = true;
    EXPECT_FALSE(find("a"));
    is_away = false;
    EXPECT_TRUE(find("a"));
    EXPECT_EQ(loads, 2);
}

TEST_F(KnownJobsTest, BeyondSoManyAllAreReadAgain) {
    for (int job = 0; job < 256; ++job) std::ignore = find(std::to_string(job));
    std::ignore = find("0");
    EXPECT_EQ(loads, 256);
    std::ignore = find("256");
    EXPECT_EQ(find("0").value()->job.id, "0");
    EXPECT_EQ(loads, 258);
}

TEST_F(KnownJobsTest, AndBeyondSoManyBytes) {
    bytes = 3 << 20;
    std::ignore = find("a");
    std::ignore = find("b");
    std::ignore = find("a");
    EXPECT_EQ(loads, 2);
    std::ignore = find("c");
    std::ignore = find("a");
    EXPECT_EQ(loads, 4);
}

}  // namespace
}  // namespace fanfare
