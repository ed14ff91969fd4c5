// Owners' own templates: versions that never change, and which one a job is planned with.
#include "core/ledger/own_templates.hpp"
#include "ledger_case.hpp"

#include <thread>

namespace fanfare::ledger {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using Parts = std::map<std::string, std::string>;

class OwnTemplatesTest : public LedgerCase {
protected:
    std::int32_t save(const Parts& parts,
                      const TemplatesKey& whose = {"shows", "show.reminder", "ann"}) {
        return save_templates(db(), whose, parts, "shop").templates.version;
    }
    Parts current(const TemplatesKey& whose) {
        const auto found = current_templates(db(), whose);
        return found ? found->parts : Parts{};
    }
    std::string order(const std::string& name, const std::string& owner = "ann") {
        auto job = job_named(name);
        job.source = owner;
        return accept(job);
    }
    /// What the job says, as a worker reads it; "" for the shipped ones.
    std::string words(const std::string& job) {
        const auto row = load_job(db(), job);
        if (!row->own_templates) return {};
        return load_templates(db(), *row->own_templates)->parts.at("sms.text");
    }

    const TemplatesKey anns{"shows", "show.reminder", "ann"};
};

TEST_F(OwnTemplatesTest, CountUpAndNeverChange) {
    EXPECT_EQ(save({{"sms.text", "one"}}), 1);
    EXPECT_EQ(save({{"sms.text", "one"}}), 1) << "the same is the same version";
    EXPECT_EQ(save({{"sms.text", "two"}, {"sms.de.text", "\"zw\u00f6i\"\n\\"}}), 2);
    EXPECT_EQ(save({{"sms.text", "one"}}), 3) << "back again is a version of its own";
    EXPECT_THAT(find_templates(db(), anns, 2)->parts,
                ElementsAre(Pair("sms.de.text", "\"zw\u00f6i\"\n\\"), Pair("sms.text", "two")));
    const auto now = current_templates(db(), anns);
    EXPECT_EQ(now->version, 3);
    EXPECT_EQ(now->saved_by, "shop");
    EXPECT_EQ(now->parts, (Parts{{"sms.text", "one"}}));
    EXPECT_FALSE(find_templates(db(), anns, 4));
}

TEST_F(OwnTemplatesTest, BelongToOneOwnerSystemAndKind) {
    save({{"sms.text", "ann's"}});
    save({{"sms.text", "other kind"}}, {"shows", "show.cancelled", "ann"});
    EXPECT_EQ(save({{"sms.text", "bob's"}}, {"shows", "show.reminder", "bob"}), 1);
    EXPECT_EQ(current(anns), (Parts{{"sms.text", "ann's"}}));
    EXPECT_THAT(current({"shows", "show.reminder", "eve"}), IsEmpty());
    EXPECT_THAT(current({"tickets", "show.reminder", "ann"}), IsEmpty());
    const auto list = list_templates(db(), "ann");
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0].key.kind, "show.cancelled");
    EXPECT_EQ(list[1].version, 1);
}

TEST_F(OwnTemplatesTest, WhenDeletedLeaveTheShippedOnes) {
    EXPECT_FALSE(delete_templates(db(), anns, "shop")) << "there is nothing to delete";
    save({{"sms.text", "one"}});
    EXPECT_TRUE(delete_templates(db(), anns, "shop"));
    EXPECT_FALSE(delete_templates(db(), anns, "shop"));
    EXPECT_FALSE(current_templates(db(), anns));
    EXPECT_THAT(list_templates(db(), "ann"), IsEmpty());
    EXPECT_EQ(find_templates(db(), anns, 1)->parts.at("sms.text"), "one") << "history stays";
    EXPECT_FALSE(find_templates(db(), anns, 2));
    EXPECT_EQ(save({{"sms.text", "one"}}), 3);
}

TEST_F(OwnTemplatesTest, AreFixedWhenAJobIsPlanned) {
    save({{"sms.text", "one"}});
    const auto first = order("first");
    plan(first, {{"a"}, {"b"}});
    const auto theirs = order("theirs", "bob");
    plan(theirs, {{"a"}});
    save({{"sms.text", "two"}});
    const auto second = order("second");
    plan(second, {{"a"}});
    EXPECT_TRUE(delete_templates(db(), anns, "shop"));
    const auto third = order("third");
    plan(third, {{"a"}});
    EXPECT_EQ(words(first), "one");
    EXPECT_EQ(words(second), "two");
    EXPECT_EQ(words(third), "");
    EXPECT_EQ(words(theirs), "");
}

TEST_F(OwnTemplatesTest, StayFixedWhenAPlanIsResumed) {
    const auto without = order("without");
    const auto with = order("with");
    plan(without, {{"a"}}, DoubtPolicy::hold, false);
    save({{"sms.text", "one"}});
    plan(with, {{"a"}}, DoubtPolicy::hold, false);
    save({{"sms.text", "two"}});
    ledger.advance(lease + std::chrono::seconds{1});
    EXPECT_FALSE(claim_plan(db(), without, lease)->own_templates) << "some were told without";
    EXPECT_EQ(claim_plan(db(), with, lease)->own_templates, find_templates(db(), anns, 1)->id);
    EXPECT_EQ(words(with), "one");
}

TEST_F(OwnTemplatesTest, AreTakenAnewWhereNothingIsPlannedYet) {
    save({{"sms.text", "{{mistake}}"}});
    const auto job = order("job");
    ASSERT_TRUE(claim_plan(db(), job, lease)->own_templates);
    const auto mended = save({{"sms.text", "mended"}});
    ledger.advance(lease + std::chrono::seconds{1});
    EXPECT_EQ(claim_plan(db(), job, lease)->own_templates, find_templates(db(), anns, mended)->id);
}

TEST_F(OwnTemplatesTest, KeepOldVersionsThatJobsUse) {
    save({{"sms.text", "used"}});
    const auto job = order("job");
    plan(job, {{"a"}});
    for (int i = 0; i < versions_kept + 1; ++i) save({{"sms.text", std::to_string(i)}});
    EXPECT_EQ(words(job), "used");
    EXPECT_FALSE(find_templates(db(), anns, 2)) << "too old, and nobody needs it";
    EXPECT_TRUE(find_templates(db(), anns, 3));
    EXPECT_EQ(ledger.value("SELECT count(*) FROM own_templates"),
              std::to_string(versions_kept + 1));
}

TEST_F(OwnTemplatesTest, SavedAtOnceAllGetAVersion) {
    std::vector<std::thread> writers;
    for (int i = 0; i < 4; ++i) {
        writers.emplace_back([this, i] {
            const auto connection = ledger.connect();
            for (int n = 0; n < 5; ++n) {
                std::ignore = save_templates(*connection, anns,
                                             {{"sms.text", std::to_string(i * 10 + n)}}, "shop");
            }
        });
    }
    for (auto& writer : writers) writer.join();
    EXPECT_EQ(current_templates(db(), anns)->version, 20);
}

}  // namespace
}  // namespace fanfare::ledger
