#include "core/kafka/dead_letters.hpp"

#include "tests/integration/mock_cluster.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>
#include <utility>

namespace fanfare::kafka {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// Letters of a broker inside the process; their times are the test's.
class DeadLettersTest : public ::testing::Test {
protected:
    void letter(const std::string& payload, const Headers& headers = {},
                std::int32_t partition = 0) {
        rd_kafka_headers_t* const all = rd_kafka_headers_new(headers.size());
        for (const auto& [name, value] : headers) {
            rd_kafka_header_add(all, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                                static_cast<ssize_t>(value.size()));
        }
        constexpr std::int64_t time_ms = 1'767'225'600'000;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"  // Inside librdkafka's macros.
        const auto error = rd_kafka_producev(
            producer.get(), RD_KAFKA_V_TOPIC(cluster.topics.dead.c_str()),
            RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_KEY(payload.data(), payload.size()),
            RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_TIMESTAMP(time_ms),
            RD_KAFKA_V_HEADERS(all), RD_KAFKA_V_END);
#pragma GCC diagnostic pop
        ASSERT_EQ(error, RD_KAFKA_RESP_ERR_NO_ERROR);
        ASSERT_EQ(rd_kafka_flush(producer.get(), 30'000), RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    std::vector<DeadLetter> letters() { return page({}, 1'000).letters; }
    DeadPage page(const DeadPlace& from, std::size_t limit, const std::string& but = "none") {
        auto read = read_dead_page(cluster.settings, system_clock(), {}, from, limit,
                                   [&but](const DeadLetter& each) { return each.payload != but; });
        EXPECT_TRUE(read) << describe(read.error());
        return std::move(read.value());
    }
    /// The keys, which are the payloads, of all pages, which must be full but for the last.
    std::multiset<std::string> all_pages(std::size_t limit, const std::string& but = "none") {
        std::multiset<std::string> all;
        std::optional<DeadPlace> from{DeadPlace{}};
        while (from) {
            auto read = page(*from, limit, but);
            EXPECT_TRUE(!read.next || read.letters.size() == limit);
            for (auto& each : read.letters) all.insert(std::move(each.key));
            from = std::move(read.next);
            if (from) {
                EXPECT_EQ(parse_dead_place(to_text(*from)), from);
            }
        }
        return all;
    }

    MockCluster cluster{2};
    Client producer = [this] {
        auto conf = make_conf(cluster.settings, {});
        return open(RD_KAFKA_PRODUCER, std::move(conf.value())).value();
    }();
};

TEST_F(DeadLettersTest, TheOrderOfItsHeadersMakesNoOtherLetter) {
    const std::pair<std::string, std::string> reason{"fanfare-reason", "not_json"};
    const std::pair<std::string, std::string> id{"ce_id", "1"};
    const std::pair<std::string, std::string> type{"ce_type", "t"};
    letter("x", {reason, id, type});
    letter("x", {type, reason, id});
    letter("x", {id, type, {"fanfare-offset", "7"}, reason});
    letter("x", {reason, {"ce_id", "2"}, type});
    letter("x", {reason, {"ce_id", "t"}, {"ce_type", "1"}});
    letter("x", {{"fanfare-reason", "too_deep"}, id, type});
    std::vector<std::string> digests;
    for (const auto& each : letters()) digests.push_back(each.digest);
    ASSERT_EQ(digests.size(), 6U);
    EXPECT_EQ(digests[1], digests[0]);
    EXPECT_EQ(digests[2], digests[0]) << "where it was read is not what it says";
    EXPECT_EQ((std::set<std::string>{digests.begin() + 2, digests.end()}).size(), 4U)
        << "another value, another name for it, another reason";
    const auto found = find_dead_letters(cluster.settings, system_clock(), digests[0]);
    ASSERT_TRUE(found);
    EXPECT_EQ(found.value().size(), 1U) << "three times the same";
}

TEST_F(DeadLettersTest, PagesHoldEachLetterOnce) {
    std::multiset<std::string> expected;
    for (int i = 0; i < 7; ++i) {
        const auto payload = fmt::format("letter {}", i);
        letter(payload, {}, i % 2);
        expected.insert(payload);
    }
    EXPECT_EQ(all_pages(100), expected);
    for (const std::size_t limit : {2U, 7U}) EXPECT_EQ(all_pages(limit), expected) << limit;
    expected.erase("letter 4");
    for (const std::size_t limit : {1U, 6U}) {
        EXPECT_EQ(all_pages(limit, "letter 4"), expected) << limit;
    }
    letter("a later one", {}, 1);
    const auto rest = page({{0, 4}, {1, 3}}, 100);
    ASSERT_EQ(rest.letters.size(), 1U);
    EXPECT_EQ(rest.letters[0].key, "a later one");
    EXPECT_FALSE(rest.next);
}

TEST(DeadPlaces, AreReadOrRefused) {
    EXPECT_EQ(to_text({{0, 12}, {3, 7}}), "0:12.3:7");
    for (const auto* const bad : {"", ".", "0", "0:", ":1", "a:1", "0:1.", "0:1.0:2", "-1:2",
                                  "0:-2", "0:1 ", "0:99999999999999999999"}) {
        EXPECT_FALSE(parse_dead_place(bad)) << bad;
    }
}

}  // namespace
}  // namespace fanfare::kafka
