#include "core/settings/yaml_tree.hpp"

#include "support.hpp"

#include <fmt/format.h>

#include <tuple>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsProblem;

TEST(Yaml, RemembersLines) {
    Report report{"f", {}};
    const auto root = parse_yaml("# one\na: 1\nb:\n  c: 'x'\n  d: |\n    SELECT\n    1\n", report);
    ASSERT_TRUE(root.has_value());
    EXPECT_THAT(report.problems, IsEmpty());
    EXPECT_EQ(root->find("a")->line, 2);
    EXPECT_FALSE(root->find("a")->quoted);
    const auto* const inner = root->find("b");
    EXPECT_TRUE(inner->find("c")->quoted);
    EXPECT_FALSE(inner->find("c")->block);
    EXPECT_EQ(inner->find("d")->line, 5);
    EXPECT_TRUE(inner->find("d")->block);
    EXPECT_EQ(inner->find("d")->text, "SELECT\n1\n");
    EXPECT_EQ(root->find("e"), nullptr);
}

TEST(Yaml, IsAnEmptyMapWhenEmpty) {
    for (const auto* text : {"", "\n", "# nothing\n", "---\n", "~"}) {
        Report report{"f", {}};
        const auto root = parse_yaml(text, report);
        ASSERT_TRUE(root.has_value()) << text;
        EXPECT_TRUE(root->is_map());
        EXPECT_THAT(report.problems, IsEmpty());
    }
}

TEST(Yaml, SaysWhereItIsBroken) {
    Report report{"f", {}};
    EXPECT_EQ(parse_yaml("a: 1\nb: [1, 2\nc: }\n", report), std::nullopt);
    ASSERT_EQ(report.problems.size(), 1U);
    EXPECT_EQ(report.problems[0].file, "f");
    EXPECT_GE(report.problems[0].line, 2);
    EXPECT_GE(report.problems[0].column, 1);
    EXPECT_THAT(report.problems[0].expected, HasSubstr("valid YAML: "));
}

TEST(Yaml, ReportsRepeatedKeysAtEveryDepthAndKeepsTheFirst) {
    Report report{"f", {}};
    const auto root = parse_yaml("a: 1\na: 2\nb:\n  - {c: 1}\n  - c: 1\n    c: 2\n", report);
    ASSERT_TRUE(root.has_value());
    EXPECT_EQ(root->find("a")->text, "1");
    EXPECT_THAT(report.problems, ElementsAre(IsProblem(2, "a", "(repeated key)", "line 1"),
                                             IsProblem(6, "b[1].c", "(repeated key)", "line 5")));
}

TEST(Yaml, RefusesWhatNobodyNeeds) {
    for (const auto& [text, says] :
         std::map<std::string, std::string>{{"a: &x 1\nb: 2\n", "anchors"},
                                            {"a: 1\nb: *x\n", ""},
                                            {"a: !!str 1\n", "tags"},
                                            {"a: !custom [1]\n", "tags"},
                                            {"? [a]\n: 1\n", "key must be plain"},
                                            {"? {a: 1}\n: 1\n", "key must be plain"},
                                            {"~: 1\n", "key must be plain"},
                                            {"a: 1\n---\nb: 2\n", "a single document"},
                                            {"- a\n", "a map"},
                                            {"hello\n", "a map"}}) {
        Report report{"f", {}};
        std::ignore = parse_yaml(text, report);
        ASSERT_EQ(report.problems.size(), 1U) << text;
        EXPECT_THAT(report.problems[0].expected, HasSubstr(says)) << text;
        EXPECT_GT(report.problems[0].line, 0) << text;
    }
}

TEST(Yaml, HasBounds) {
    Report report{"f", {}};
    EXPECT_EQ(parse_yaml(std::string((1U << 20U) + 1, ' '), report), std::nullopt);
    EXPECT_EQ(parse_yaml(std::string(100'000, '['), report), std::nullopt);
    EXPECT_EQ(report.problems.size(), 2U);
}

TEST(Nearest, FindsTheKeyThatWasMeant) {
    const std::vector<std::string> known{"worker.lease_ms", "worker.plan_batch", "kafka"};
    EXPECT_EQ(nearest("worker.leas_ms", known), "worker.lease_ms");
    EXPECT_EQ(nearest("worker.lease", known), "worker.lease_ms");
    EXPECT_EQ(nearest("kafak", known), "kafka");
    EXPECT_EQ(nearest("zzzzzz", known), "");
    EXPECT_EQ(nearest(std::string(100'000, 'k'), known), "");
}

TEST(OneLine, CutsBetweenCharacters) {
    EXPECT_EQ(one_line("a\nb\x7f"), "a b ");
    EXPECT_EQ(one_line("éé", 3), "é...");
    EXPECT_EQ(one_line("éé", 4), "éé");
}

}  // namespace
}  // namespace fanfare
