#include "core/settings/folders.hpp"

#include "support.hpp"

namespace fanfare {
namespace {

TEST(Folders, AreKnownWhereOtherSettingsAreWrong) {
    const auto folder = std::filesystem::temp_directory_path() / "fanfare-folders-test";
    std::filesystem::create_directories(folder);
    const auto file = folder / "fanfare.yaml";
    std::ofstream{file} << "systems_dir: here\ntemplates_dir: ../there\nworker: {lease_ms: soon}\n"
                           "nonsense: 1\n";
    const auto environment = testing::environment_of({{"FANFARE_TEMPLATES_DIR", "/elsewhere"}});
    ASSERT_TRUE(std::holds_alternative<Problems>(load_settings(file, environment)));
    const auto known = find_folders(file, testing::environment_of({}));
    EXPECT_EQ(known.systems, folder / "here");
    EXPECT_EQ(known.templates, folder.parent_path() / "there");
    EXPECT_EQ(find_folders(file, environment).templates, "/elsewhere");
    std::ofstream{file} << "{{{";
    EXPECT_EQ(find_folders(file, environment).systems, "");
    EXPECT_EQ(find_folders(folder / "none.yaml", environment).systems, "");
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace fanfare
