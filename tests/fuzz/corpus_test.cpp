// What the fuzzers of this folder keep or have found is tried in every build: each input of
// corpus/<target>/ goes through fuzz_<target>, which aborts where a promise is broken.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

#define F(name) extern "C" int fuzz_##name(const std::uint8_t* bytes, std::size_t size);
FANFARE_FUZZ_TARGETS
#undef F

namespace fanfare {
namespace {

struct FuzzTarget {
    const char* name;
    int (*run)(const std::uint8_t*, std::size_t);
    friend void PrintTo(const FuzzTarget& target, std::ostream* out) { *out << target.name; }
};
#define F(name) FuzzTarget{#name, fuzz_##name},
const std::vector<FuzzTarget> fuzz_targets{FANFARE_FUZZ_TARGETS};
#undef F

const std::filesystem::path corpus =
    std::filesystem::path{FANFARE_SOURCE_DIR} / "tests/fuzz/corpus";

class Corpus : public ::testing::TestWithParam<FuzzTarget> {};

TEST_P(Corpus, BreaksNothing) {
    std::vector<std::filesystem::path> inputs;
    for (const auto& entry : std::filesystem::directory_iterator{corpus / GetParam().name}) {
        inputs.push_back(entry.path());
    }
    std::sort(inputs.begin(), inputs.end());
    ASSERT_FALSE(inputs.empty()) << "a target without an input";
    for (const auto& path : inputs) {
        SCOPED_TRACE(path.string());
        std::ifstream in{path, std::ios::binary};
        const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
        // What ends the process leaves this line as the last one.
        RecordProperty("input", path.filename().string());
        EXPECT_EQ(GetParam().run(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()),
                  0);
    }
    GetParam().run(nullptr, 0);
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus, ::testing::ValuesIn(fuzz_targets),
                         [](const auto& each) { return std::string{each.param.name}; });

TEST(CorpusFolders, EachIsOfATarget) {
    for (const auto& entry : std::filesystem::directory_iterator{corpus}) {
        const auto name = entry.path().filename().string();
        EXPECT_TRUE(std::any_of(fuzz_targets.begin(), fuzz_targets.end(), [&](const auto& target) {
            return target.name == name;
        })) << name;
    }
}

}  // namespace
}  // namespace fanfare
