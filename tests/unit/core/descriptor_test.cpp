#include "core/wire/descriptor.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace fanfare {
namespace {

constexpr auto job = "0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11";

TEST(Descriptor, IsReadAsItWasWritten) {
    for (const auto channel : channels) {
        for (const std::int32_t number : {0, 1, 12, 1'999'999'999, 2'000'000'000}) {
            const ledger::ChunkKey key{job, channel, number};
            const auto read = decode_descriptor(encode_descriptor(key));
            ASSERT_TRUE(read) << encode_descriptor(key);
            EXPECT_EQ(*read, key);
        }
    }
}

TEST(Descriptor, IsReadInAnyOrderAndSpacing) {
    const auto read = decode_descriptor(R"( { "chunk" : 3, "channel":"push", "version": 1, )"
                                        R"("job": "0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11" } )");
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, (ledger::ChunkKey{job, Channel::push, 3}));
}

struct Case {
    const char* name;
    const char* bytes;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class RefusedDescriptor : public ::testing::TestWithParam<Case> {};

TEST_P(RefusedDescriptor, NamesNoChunk) { EXPECT_FALSE(decode_descriptor(GetParam().bytes)); }

#define ID R"("0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11")"
INSTANTIATE_TEST_SUITE_P(
    Bytes, RefusedDescriptor,
    ::testing::Values(
        Case{"Nothing", ""}, Case{"NotJson", "hello"}, Case{"NoObject", "[1]"},
        Case{"Trailing", R"({"version":1,"job":)" ID R"(,"channel":"sms","chunk":1}x)"},
        Case{"LaterVersion", R"({"version":2,"job":)" ID R"(,"channel":"sms","chunk":1})"},
        Case{"VersionAsText", R"({"version":"1","job":)" ID R"(,"channel":"sms","chunk":1})"},
        Case{"NoVersion", R"({"job":)" ID R"(,"channel":"sms","chunk":1})"},
        Case{"NoJob", R"({"version":1,"channel":"sms","chunk":1})"},
        Case{"NoChannel", R"({"version":1,"job":)" ID R"(,"chunk":1})"},
        Case{"NoChunk", R"({"version":1,"job":)" ID R"(,"channel":"sms"})"},
        Case{"ExtraField", R"({"version":1,"job":)" ID R"(,"channel":"sms","chunk":1,"to":"x"})"},
        Case{"ShortUuid", R"({"version":1,"job":"0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c1",)"
                          R"("channel":"sms","chunk":1})"},
        Case{"UpperCaseUuid", R"({"version":1,"job":"0B54B6A8-93D5-5A3B-9D1E-6F2F6B0F3C11",)"
                              R"("channel":"sms","chunk":1})"},
        Case{"UuidWithoutDashes", R"({"version":1,"job":"0b54b6a8093d505a3b09d1e06f2f6b0f3c11",)"
                                  R"("channel":"sms","chunk":1})"},
        Case{"UuidWithSql", R"({"version":1,"job":"'; DROP TABLE chunk; -- 6f2f6b0f3c11",)"
                            R"("channel":"sms","chunk":1})"},
        Case{"UnknownChannel", R"({"version":1,"job":)" ID R"(,"channel":"fax","chunk":1})"},
        Case{"Negative", R"({"version":1,"job":)" ID R"(,"channel":"sms","chunk":-1})"},
        Case{"Fraction", R"({"version":1,"job":)" ID R"(,"channel":"sms","chunk":1.5})"},
        Case{"BeyondInt", R"({"version":1,"job":)" ID R"(,"channel":"sms","chunk":2000000001})"},
        Case{"BeyondInt64",
             R"({"version":1,"job":)" ID R"(,"channel":"sms","chunk":99999999999999999999})"}),
    [](const auto& param) { return param.param.name; });

TEST(Descriptor, ThatIsTooLongIsRefusedUnread) {
    const auto good = encode_descriptor({job, Channel::email, 1});
    ASSERT_TRUE(decode_descriptor(good + std::string(256 - good.size(), ' ')));
    EXPECT_FALSE(decode_descriptor(good + std::string(257 - good.size(), ' ')));
    EXPECT_FALSE(decode_descriptor(std::string(10'000'000, '[')));
}

TEST(Descriptor, SurvivesRandomBytes) {
    std::mt19937 random{20'240'601};
    const auto good = encode_descriptor({job, Channel::email, 123});
    const auto at_most = [&](std::size_t top) {
        return std::uniform_int_distribution<std::size_t>{0, top}(random);
    };
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes;
        if (i % 2 == 0) {  // Noise.
            bytes.resize(at_most(300));
            for (auto& c : bytes) c = static_cast<char>(at_most(255));
        } else {  // A good one with a few wounds.
            bytes = good;
            for (std::size_t wounds = 1 + at_most(3); wounds > 0; --wounds) {
                bytes[at_most(bytes.size() - 1)] = static_cast<char>(at_most(255));
            }
        }
        const auto read = decode_descriptor(bytes);
        if (!read) continue;
        EXPECT_EQ(decode_descriptor(encode_descriptor(*read)), read) << bytes;
    }
}

}  // namespace
}  // namespace fanfare
