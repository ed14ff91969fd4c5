#include "core/ledger/suppression_list.hpp"

#include "core/ledger/addresses.hpp"
#include "tests/integration/ledger_case.hpp"

namespace fanfare::ledger {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SuppressionListTest : public LedgerCase {
protected:
    void suppress(Channel channel, std::vector<NewSuppression> entries) {
        add_suppressions(db(), channel, entries, "cli");
    }
    /// All of it, in pages of `limit`.
    std::vector<std::string> addresses(const SuppressionFilter& filter, std::size_t limit = 100) {
        SuppressionCursor cursor;
        std::vector<Suppression> found;
        std::size_t before = 0;
        bool more = true;
        while (more) {
            more = list_suppressions(db(), filter, cursor, limit, found);
            EXPECT_LE(found.size() - before, limit);
            EXPECT_TRUE(!more || found.size() - before == limit) << "only the last page is shorter";
            before = found.size();
        }
        std::vector<std::string> all;
        for (const auto& one : found) all.push_back(one.address);
        return all;
    }
};

TEST_F(SuppressionListTest, IsByChannelAndAddressWhateverThePage) {
    EXPECT_THAT(addresses({}), IsEmpty());
    suppress(Channel::push, {{"Token", "dead"}});
    suppress(Channel::sms, {{"+4917012345678", "stop"}});
    suppress(Channel::email, {{"b@x.org", "complaint"}, {"Anna@X.org", "complaint"}});
    for (std::size_t limit = 1; limit < 6; ++limit) {
        EXPECT_THAT(addresses({}, limit),
                    ElementsAre("anna@x.org", "b@x.org", "+4917012345678", "Token"))
            << limit;
    }
    EXPECT_THAT(addresses({.channel = Channel::sms}), ElementsAre("+4917012345678"));
    EXPECT_THAT(addresses({.channel = Channel::push}, 1), ElementsAre("Token"));
}

TEST_F(SuppressionListTest, IsSearchedByHowAnAddressIsWrittenOrBegins) {
    suppress(Channel::email, {{"anna@x.org", "a"}, {"annabel@x.org", "a"}, {"bob@x.org", "a"}});
    suppress(Channel::sms, {{"+4917012345678", "a"}, {"+4917099999999", "a"}});
    suppress(Channel::push, {{"Anna-s-phone", "a"}});
    EXPECT_THAT(addresses({.search = "ANNA@x.org"}), ElementsAre("anna@x.org"));
    EXPECT_THAT(addresses({.search = "Anna B <mailto:anna@X.org>"}), ElementsAre("anna@x.org"));
    EXPECT_THAT(addresses({.search = " Anna"}, 1),
                ElementsAre("anna@x.org", "annabel@x.org", "Anna-s-phone"));
    EXPECT_THAT(addresses({.channel = Channel::email, .search = "anna"}),
                ElementsAre("anna@x.org", "annabel@x.org"));
    EXPECT_THAT(addresses({.search = "+49 (170) 123-45678"}), ElementsAre("+4917012345678"));
    EXPECT_THAT(addresses({.search = "49170"}), ElementsAre("+4917012345678", "+4917099999999"));
    for (const auto* const nothing : {"%", "_nna", "x.org", "+", "-", "'", "\\", " "}) {
        EXPECT_THAT(addresses({.search = nothing}), IsEmpty()) << nothing;
    }
}

TEST_F(SuppressionListTest, ShowsAnAddressOnceWithWhatIsKnownOfIt) {
    suppress(Channel::email, {{"Anna@x.org", "complaint"}});
    ledger.column(
        "INSERT INTO suppression (channel, address, reason, source, created_at) VALUES "
        "(0, 'older@x.org', 'bounce', 'receipt', '2026-01-02T03:04:05Z'), "
        "(0, 'no address', 'bounce', 'receipt', '2026-01-02T03:04:05Z')");
    read_suppressions(db(), 10);
    EXPECT_THAT(addresses({}), ElementsAre("anna@x.org", "no address", "older@x.org"));
    SuppressionCursor cursor;
    std::vector<Suppression> found;
    EXPECT_FALSE(list_suppressions(db(), {.search = "older"}, cursor, 1, found));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].reason, "bounce");
    EXPECT_EQ(found[0].source, "receipt");
    EXPECT_EQ(found[0].since, "2026-01-02T03:04:05Z");
}

}  // namespace
}  // namespace fanfare::ledger
