// Files that change while a worker runs, and time that a test moves.
#include "worker/reload/secret_watch.hpp"

#include "core/clock/virtual_time.hpp"
#include "tests/support/coroutines.hpp"
#include "worker/send/accounts.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

class NoBucket final : public RateBucket {
public:
    asio::awaitable<Result<ledger::Slice>> lease(const std::string&, double,
                                                 std::uint32_t tokens) override {
        co_return ledger::Slice{0us, tokens};
    }
    asio::awaitable<Result<std::chrono::microseconds>> block(const std::string&,
                                                             std::chrono::milliseconds) override {
        co_return 0us;
    }
};

class SecretWatchTest : public ::testing::Test {
protected:
    SecretWatchTest()
        : folder{std::filesystem::path{::testing::TempDir()} /
                 ::testing::UnitTest::GetInstance()->current_test_info()->name()} {
        std::filesystem::create_directories(folder);
        time.attach(loop);
        write("url", "postgresql://localhost/fanfare");
        write("key", "a first key");
        write_settings("5");
        const auto settings =
            std::get<Settings>(load_settings(folder / "fanfare.yaml", process_environment()));
        auto accounts = open_accounts(settings, {}, loop.get_executor(), {bucket, time, probe});
        selector.emplace(std::move(accounts.value()));
        watch.emplace(settings, *selector, ProviderContext{}, loop.get_executor());
        test::begin(loop, watch->run());
    }
    ~SecretWatchTest() override {
        watch->stop();
        time.run_for(10s);
        std::filesystem::remove_all(folder);
    }
    /// At another moment than the time before, however fast a test is.
    void write(const std::string& name, const std::string& text) {
        std::ofstream{folder / name} << text << "\n";
        std::filesystem::last_write_time(
            folder / name, std::filesystem::file_time_type::clock::now() + (++writes) * 1s);
    }
    void write_settings(const std::string& per_second) {
        write("fanfare.yaml",
              "database: {url: {file: url}}\n"
              "accounts:\n"
              "  - name: mail\n"
              "    type: mailgun\n"
              "    rate: {per_second: " +
                  per_second +
                  "}\n"
                  "    options: {domain: mg.example.com, from: news@mg.example.com}\n"
                  "    secrets: {api_key: {file: key}}\n");
    }
    Account& account() { return *selector->find("mail"); }

    std::filesystem::path folder;
    VirtualTime time{TimePoint{}};
    NoBucket bucket;
    WorkerProbe probe{std::make_shared<prometheus::Registry>()};
    asio::io_context loop{1};
    std::optional<AccountSelector> selector;
    std::optional<SecretWatch> watch;
    int writes = 0;
};

TEST_F(SecretWatchTest, ASecretThatChangedIsUsedWithinTwoSeconds) {
    const auto before = account().provider();
    write("key", "a second key");
    time.run_for(1s);
    EXPECT_EQ(account().provider(), before);
    time.run_for(1s);
    EXPECT_NE(account().provider(), before);
}

TEST_F(SecretWatchTest, AFileThatIsWrittenAnewAndSaysTheSameChangesNothing) {
    const auto before = account().provider();
    write("key", "a first key");
    write_settings("5");
    time.run_for(1min);
    EXPECT_EQ(account().provider(), before);
}

TEST_F(SecretWatchTest, ARateThatChangedIsKeptFromThenOn) {
    const auto before = account().provider();
    write_settings("7");
    time.run_for(2s);
    EXPECT_EQ(account().settings().rate.per_second, 7);
    EXPECT_EQ(account().provider(), before) << "its connections are what they were";
}

TEST_F(SecretWatchTest, WhileAFileIsWrongAllStaysAsItWas) {
    const auto before = account().provider();
    write("key", "a second key");
    write_settings("many");
    time.run_for(1min);
    EXPECT_EQ(account().provider(), before);
    EXPECT_EQ(account().settings().rate.per_second, 5);
    write_settings("7");
    time.run_for(2s);
    EXPECT_NE(account().provider(), before);
    EXPECT_EQ(account().settings().rate.per_second, 7);
}

TEST_F(SecretWatchTest, AnAccountThatIsGoneFromTheFileGoesOn) {
    const auto before = account().provider();
    write("fanfare.yaml", "database: {url: {file: url}}\n");
    time.run_for(1min);
    EXPECT_EQ(account().provider(), before);
}

}  // namespace
}  // namespace fanfare
