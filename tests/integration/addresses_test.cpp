#include "core/ledger/addresses.hpp"

#include "core/ledger/bucket.hpp"
#include "core/ledger/migrate.hpp"
#include "tests/integration/ledger_case.hpp"

#include <deque>
#include <future>

namespace fanfare::ledger {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using ::testing::ElementsAre;

class AddressesTest : public LedgerCase {};

TEST_F(AddressesTest, ThatAreSuppressedAreFound) {
    const std::vector<NewSuppression> list{
        {"a@x.org", "address_invalid"}, {"a@x.org", "complaint"}, {"o'\"\\,{}@x.org", "complaint"}};
    add_suppressions(db(), Channel::email, list, "provider");
    add_suppressions(db(), Channel::email, list, "provider");
    const std::vector<std::string_view> asked{"b@x.org", "a@x.org", "A@x.org", "o'\"\\,{}@x.org",
                                              "a@x.org"};
    EXPECT_THAT(find_suppressed(db(), Channel::email, asked),
                ElementsAre(false, true, true, true, true));
    EXPECT_THAT(find_suppressed(db(), Channel::sms, asked),
                ElementsAre(false, false, false, false, false))
        << "a channel at a time";
    EXPECT_THAT(find_suppressed(db(), Channel::email, {}), ::testing::IsEmpty());
    EXPECT_EQ(ledger.value("SELECT count(*) FROM suppression"), "2");
}

TEST_F(AddressesTest, AreSuppressedInAnyCase) {
    add_suppressions(db(), Channel::email,
                     std::vector<NewSuppression>{{"Wanda1@Example.com", "address_invalid"}}, "cli");
    add_suppressions(db(), Channel::email,
                     std::vector<NewSuppression>{{"bob@example.com", "complaint"}}, "cli");
    add_suppressions(db(), Channel::push, std::vector<NewSuppression>{{"Token", "dead"}}, "cli");
    const std::vector<std::string_view> asked{"wanda1@example.com", "Wanda1@Example.com",
                                              "BOB@EXAMPLE.com", "wanda@example.com"};
    EXPECT_THAT(find_suppressed(db(), Channel::email, asked), ElementsAre(true, true, true, false));
    EXPECT_THAT(
        find_suppressed(db(), Channel::push, std::vector<std::string_view>{"Token", "token"}),
        ElementsAre(true, false))
        << "tokens tell case apart";
    EXPECT_EQ(add_suppressions(
                  db(), Channel::email,
                  std::vector<NewSuppression>{{"WANDA1@example.com", "again"}, {"c@x.org", "new"}},
                  "cli"),
              1U)
        << "known before, however it is spelled";
    EXPECT_EQ(ledger.value("SELECT count(*) FROM suppression WHERE channel = 0 "
                           "AND address IN ('Wanda1@example.com', 'wanda1@example.com')"),
              "2")
        << "programs of the version before look for the first of these";
}

TEST_F(AddressesTest, ThatOlderProgramsSuppressedGoOnHolding) {
    ledger.column(
        "INSERT INTO suppression (channel, address, reason, source, created_at) VALUES "
        "(0, 'Wanda1@example.com', 'complained', 'receipt', '2026-01-02T03:04:05Z'), "
        "(0, E'ana@m\u00fcller.de', 'manual', 'cli', '2026-01-02T03:04:05Z'), "
        "(0, 'bob@example.com', 'manual', 'cli', '2026-01-02T03:04:05Z'), "
        "(1, '+1 (555) 010-0001', 'STOP', 'cli', '2026-01-02T03:04:05Z'), "
        "(1, '+1 555 010 0001', 'STOP', 'cli', '2026-01-02T03:04:05Z'), "
        "(1, '+not a number', 'STOP', 'cli', '2026-01-02T03:04:05Z') RETURNING 1");
    EXPECT_THAT(
        find_suppressed(db(), Channel::email, std::vector<std::string_view>{"Wanda1@Example.com"}),
        ElementsAre(true))
        << "as they compare it, at once";
    EXPECT_EQ(read_suppressions(db(), 4), 4U);
    EXPECT_EQ(read_suppressions(db(), 4), 2U);
    EXPECT_EQ(read_suppressions(db(), 4), 0U) << "each once";
    EXPECT_THAT(
        find_suppressed(db(), Channel::email,
                        std::vector<std::string_view>{"WANDA1@Example.com", "ana@xn--mller-kva.de",
                                                      "Bob@example.com"}),
        ElementsAre(true, true, true));
    EXPECT_THAT(find_suppressed(db(), Channel::sms, std::vector<std::string_view>{"+15550100001"}),
                ElementsAre(true));
    EXPECT_THAT(ledger.column("SELECT address || ' ' || reason || ' ' || source FROM suppression "
                              "WHERE created_at = '2026-01-02T03:04:05Z' AND compared = address "
                              "ORDER BY channel, address"),
                ElementsAre("ana@xn--mller-kva.de manual cli", "bob@example.com manual cli",
                            "wanda1@example.com complained receipt", "+15550100001 STOP cli"))
        << "with what was known of them";
    EXPECT_THAT(ledger.column("SELECT address FROM suppression WHERE compared <> address "
                              "ORDER BY channel, address"),
                ElementsAre("Wanda1@example.com", "ana@m\u00fcller.de", "+1 (555) 010-0001",
                            "+1 555 010 0001", "+not a number"))
        << "what they wrote stays for them";
}

TEST_F(AddressesTest, AreReadByTheMigration) {
    ledger.column(
        "INSERT INTO suppression (channel, address, reason, source) VALUES "
        "(1, '+1 (555) 010-0001', 'STOP', 'cli'), (1, '+15550100002', 'STOP', 'cli') "
        "RETURNING 1");
    ASSERT_TRUE(migrate(ledger.database().url(), FANFARE_SOURCE_DIR "/config/migrations"));
    EXPECT_THAT(find_suppressed(db(), Channel::sms,
                                std::vector<std::string_view>{"+15550100001", "+15550100002"}),
                ElementsAre(true, true));
    EXPECT_EQ(ledger.value("SELECT count(*) FROM suppression WHERE compared IS NULL"), "0");
}

TEST_F(AddressesTest, BelongToWhoeverBringsThemFirst) {
    const auto job = accept("a");
    const std::vector<AddressClaim> first{{"a@x.org", "u1"}, {"b@x.org", "u2"}, {"a@x.org", "u3"}};
    const std::vector<AddressClaim> second{{"a@x.org", "u0"}, {"c@x.org", "u4"}};
    EXPECT_THAT(own_addresses(db(), job, Channel::email, first), ElementsAre(true, true, false));
    EXPECT_THAT(own_addresses(db(), job, Channel::email, second), ElementsAre(false, true));
    for (int i = 0; i < 3; ++i) {
        EXPECT_THAT(own_addresses(db(), job, Channel::email, first), ElementsAre(true, true, false))
            << "a retry of the same chunk must not change who is told";
        EXPECT_THAT(own_addresses(db(), job, Channel::email, second), ElementsAre(false, true));
    }
    EXPECT_THAT(own_addresses(db(), accept("b"), Channel::email, second), ElementsAre(true, true))
        << "each job for itself";
    EXPECT_THAT(own_addresses(db(), job, Channel::sms, second), ElementsAre(true, true));
    EXPECT_EQ(ledger.value("SELECT count(*) FROM address_owner WHERE address = 'a@x.org'::bytea"),
              "0")
        << "only hashes are kept";
}

TEST_F(AddressesTest, HaveOneOwnerInAnyCase) {
    const auto job = accept("a");
    const std::vector<AddressClaim> both{{"Bob@Example.com", "u1"}, {"bob@example.com", "u2"}};
    const std::vector<AddressClaim> later{{"BOB@example.com", "u3"}};
    EXPECT_THAT(own_addresses(db(), job, Channel::email, both), ElementsAre(true, false));
    EXPECT_THAT(own_addresses(db(), job, Channel::email, later), ElementsAre(false));
    EXPECT_THAT(own_addresses(db(), job, Channel::email, both), ElementsAre(true, false));
    EXPECT_THAT(own_addresses(db(), job, Channel::push, std::vector<AddressClaim>{{"T", "u1"}}),
                ElementsAre(true));
    EXPECT_THAT(own_addresses(db(), job, Channel::push, std::vector<AddressClaim>{{"t", "u2"}}),
                ElementsAre(true))
        << "tokens tell case apart";
}

TEST_F(AddressesTest, HaveOneOwnerBesideProgramsOfTheVersionBefore) {
    const auto job = accept("a");
    ledger.column("INSERT INTO address_owner VALUES ('" + job +
                  "', 0, sha256('Bob@example.com'), 'u1') RETURNING 1");
    const std::vector<AddressClaim> same{{"Bob@Example.com", "u2"}};
    EXPECT_THAT(own_addresses(db(), job, Channel::email, same), ElementsAre(false))
        << "they have told somebody there";
    const std::vector<AddressClaim> ours{{"Ann@Example.com", "u3"}};
    EXPECT_THAT(own_addresses(db(), job, Channel::email, ours), ElementsAre(true));
    EXPECT_EQ(ledger.value("SELECT recipient FROM address_owner "
                           "WHERE address = sha256('Ann@example.com')"),
              "u3")
        << "where they look";
}

TEST_F(AddressesTest, HaveOneOwnerHoweverManyAskAtOnce) {
    const auto job = accept("a");
    std::vector<std::string> people;
    for (int i = 0; i < 4; ++i) people.push_back(fmt::format("u{}", i));
    const auto ask = [&](std::size_t person) {
        const auto connection = ledger.connect();
        std::deque<std::string> addresses;
        std::vector<AddressClaim> claims;
        for (int i = 0; i < 100; ++i) {
            const int n = person % 2 == 0 ? i : 99 - i;  // Crosswise: no deadlock.
            claims.push_back({addresses.emplace_back(fmt::format("a{}@x.org", n)), people[person]});
        }
        auto owned = own_addresses(*connection, job, Channel::email, claims);
        if (person % 2 != 0) std::reverse(owned.begin(), owned.end());
        return owned;
    };
    std::vector<std::future<std::vector<bool>>> all;
    for (std::size_t i = 0; i < people.size(); ++i)
        all.push_back(std::async(std::launch::async, ask, i));
    std::array<int, 100> owners{};
    for (auto& one : all) {
        const auto owned = one.get();
        for (std::size_t i = 0; i < owned.size(); ++i) owners[i] += owned[i] ? 1 : 0;
    }
    EXPECT_THAT(owners, ::testing::Each(1));
}

class BucketTest : public LedgerCase {
protected:
    microseconds blocked_for(std::string_view account, postgres::Connection& connection) {
        for (const auto& blocked : read_fleet_state(connection).blocked) {
            if (blocked.account == account) return blocked.left;
        }
        return microseconds{0};
    }
    microseconds blocked_for(std::string_view account) { return blocked_for(account, db()); }
};

TEST_F(BucketTest, SlicesFollowOneAnother) {
    EXPECT_EQ(reserve_slice(db(), "mail", 100, 20).begins_in, microseconds{0});
    EXPECT_EQ(reserve_slice(*ledger.connect(), "mail", 100, 20).begins_in, milliseconds{200});
    EXPECT_EQ(reserve_slice(db(), "mail", 100, 50).begins_in, milliseconds{400});
    EXPECT_EQ(reserve_slice(db(), "mail", 100, 1).begins_in, milliseconds{900});
    EXPECT_EQ(reserve_slice(db(), "texts", 100, 1).begins_in, microseconds{0})
        << "each account its own";
}

TEST_F(BucketTest, ASmallSliceBehindALargeOneWaitsForItsEnd) {
    EXPECT_EQ(reserve_slice(db(), "mail", 5, 200).begins_in, microseconds{0});
    EXPECT_EQ(reserve_slice(db(), "mail", 5, 2).begins_in, std::chrono::seconds{40});
}

TEST_F(BucketTest, WhatWasReservedAtALowRateDoesNotHoldUpAHigherOne) {
    for (int i = 0; i < 3; ++i) std::ignore = reserve_slice(db(), "mail", 5, 1'000);
    EXPECT_EQ(reserve_slice(db(), "mail", 300, 60).begins_in, std::chrono::seconds{10});
    EXPECT_EQ(reserve_slice(db(), "mail", 100, 10).begins_in, milliseconds{10'200}) << "lower";
    std::ignore = reserve_slice(db(), "text", 10, 40);
    EXPECT_EQ(reserve_slice(db(), "text", 1'000, 10).begins_in, std::chrono::seconds{4})
        << "others may not have read it yet";
}

TEST_F(BucketTest, UnusedTimeIsNotSavedUp) {
    EXPECT_EQ(reserve_slice(db(), "mail", 10, 2).begins_in, microseconds{0});
    ledger.advance(std::chrono::hours{1});
    EXPECT_EQ(reserve_slice(db(), "mail", 10, 2).begins_in, microseconds{0});
    EXPECT_EQ(reserve_slice(db(), "mail", 10, 2).begins_in, milliseconds{200});
}

TEST_F(BucketTest, SlicesOfManyReplicasNeverOverlap) {
    constexpr double rate = 1'000;
    const auto take = [&](unsigned seed) {
        const auto connection = ledger.connect();
        std::vector<std::pair<microseconds, std::uint32_t>> slices;
        for (std::uint32_t i = 0; i < 50; ++i) {
            const auto slice = reserve_slice(*connection, "mail", rate, 1 + (i * 7 + seed) % 40);
            slices.emplace_back(slice.begins_in, slice.tokens);
        }
        return slices;
    };
    std::vector<std::future<std::vector<std::pair<microseconds, std::uint32_t>>>> all;
    for (unsigned i = 0; i < 4; ++i) all.push_back(std::async(std::launch::async, take, i));
    std::vector<std::pair<microseconds, std::uint32_t>> slices;
    for (auto& one : all) {
        for (const auto& slice : one.get()) slices.push_back(slice);
    }
    std::sort(slices.begin(), slices.end());
    for (std::size_t i = 1; i < slices.size(); ++i) {
        const microseconds length{
            static_cast<std::int64_t>(slices[i - 1].second * 1'000'000 / rate)};
        EXPECT_EQ(slices[i].first, slices[i - 1].first + length) << "neither overlap nor gap";
    }
}

TEST_F(BucketTest, ABlockHoldsBackEveryone) {
    EXPECT_EQ(blocked_for("mail"), microseconds{0});
    EXPECT_EQ(reserve_slice(db(), "mail", 100, 10).begins_in, microseconds{0});
    EXPECT_EQ(block_account(db(), "mail", std::chrono::seconds{30}), std::chrono::seconds{30});
    EXPECT_EQ(blocked_for("mail", *ledger.connect()), std::chrono::seconds{30});
    EXPECT_EQ(reserve_slice(*ledger.connect(), "mail", 100, 10).begins_in,
              std::chrono::seconds{30});
    EXPECT_EQ(reserve_slice(db(), "mail", 100, 10).begins_in, milliseconds{30'100});
    EXPECT_EQ(block_account(db(), "mail", std::chrono::seconds{1}), std::chrono::seconds{30})
        << "a shorter one does not shorten it";
    ledger.advance(std::chrono::seconds{31});
    EXPECT_EQ(blocked_for("mail"), microseconds{0});
    EXPECT_EQ(reserve_slice(db(), "mail", 100, 10).begins_in, microseconds{0});
}

TEST_F(BucketTest, AnAccountCanBeBlockedBeforeItsFirstSlice) {
    EXPECT_EQ(block_account(db(), "new", std::chrono::seconds{5}), std::chrono::seconds{5});
    EXPECT_EQ(reserve_slice(db(), "new", 100, 10).begins_in, std::chrono::seconds{5});
}

/// For two seconds the clock is an hour ahead, or behind.
class ClockJumpTest : public BucketTest, public ::testing::WithParamInterface<std::chrono::hours> {
protected:
    template <class Work>
    void meanwhile(Work work) {
        ledger.advance(GetParam());
        work();
        ledger.advance(std::chrono::seconds{2});
        work();
        ledger.advance(-GetParam());
    }
};

TEST_P(ClockJumpTest, KeepsNobodyFromTheirSlices) {
    std::ignore = reserve_slice(db(), "mail", 100, 20);
    meanwhile([&] {
        for (int i = 0; i < 8; ++i) std::ignore = reserve_slice(db(), "mail", 100, 20);
    });
    // At most what was reserved then and not used yet, and one after the other.
    const auto first = reserve_slice(db(), "mail", 100, 20).begins_in;
    EXPECT_LE(first, milliseconds{1'600});
    EXPECT_EQ(reserve_slice(db(), "mail", 100, 20).begins_in, first + milliseconds{200});
    ledger.advance(std::chrono::seconds{10});
    EXPECT_EQ(reserve_slice(db(), "mail", 100, 20).begins_in, microseconds{0});
}

TEST_P(ClockJumpTest, BlocksForAsLongAsTheProviderAskedFor) {
    meanwhile([&] { block_account(db(), "mail", std::chrono::seconds{30}); });
    EXPECT_LE(reserve_slice(db(), "mail", 100, 10).begins_in, std::chrono::seconds{30});
    EXPECT_LE(blocked_for("mail"), std::chrono::seconds{30});
    ledger.advance(std::chrono::seconds{31});
    EXPECT_EQ(blocked_for("mail"), microseconds{0});
    EXPECT_LE(reserve_slice(db(), "mail", 100, 10).begins_in, milliseconds{100});
}

TEST_P(ClockJumpTest, LeavesALongBlockAsItIs) {
    block_account(db(), "mail", std::chrono::minutes{50});
    meanwhile([] {});
    std::ignore = reserve_slice(db(), "mail", 100, 10);
    EXPECT_EQ(blocked_for("mail"), std::chrono::minutes{50} - std::chrono::seconds{2});
    EXPECT_EQ(reserve_slice(db(), "mail", 100, 10).begins_in,
              std::chrono::minutes{50} - milliseconds{1'900});
}

INSTANTIATE_TEST_SUITE_P(AnHour, ClockJumpTest,
                         ::testing::Values(std::chrono::hours{1}, std::chrono::hours{-1}),
                         [](const auto& param) {
                             return param.param.count() > 0 ? "Ahead" : "Behind";
                         });

TEST_F(BucketTest, OfAProgramThatSaysNoMomentIsBoundedByWhatAFleetReserves) {
    ledger.column("INSERT INTO bucket VALUES ('mail', app_now() + interval '1 h') RETURNING 1");
    EXPECT_EQ(reserve_slice(db(), "mail", 100, 10).begins_in, milliseconds{16'600});
    for (int i = 0; i < 64; ++i) {  // As many replicas, and nobody's slice is cut short.
        EXPECT_EQ(reserve_slice(db(), "fresh", 100, 20).begins_in, i * milliseconds{200});
    }
}

}  // namespace
}  // namespace fanfare::ledger
