#include "core/audience/channels.hpp"

#include "core/audience/exclusion.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Kind kind_with_fallback() {
    Kind kind;
    kind.name = "show.reminder";
    kind.templates = "show.reminder";
    kind.fallback[static_cast<std::size_t>(Channel::push)] = Channel::email;
    return kind;
}

TEST(Channels, AreThoseOfTheJobAndWhereItTurnsTo) {
    Job job;
    job.channels = {Channel::push};
    EXPECT_THAT(channels_used(job, kind_with_fallback()),
                ElementsAre(Channel::push, Channel::email));
    job.channels = {Channel::sms};
    EXPECT_THAT(channels_used(job, kind_with_fallback()), ElementsAre(Channel::sms));
}

TEST(Channels, ThatTheJobHasOfItsOwnAreNotTurnedTo) {
    Job job;
    job.channels = {Channel::push, Channel::email};
    EXPECT_EQ(turns_to(job, kind_with_fallback(), Channel::push), std::nullopt)
        << "nobody is told twice";
    EXPECT_THAT(channels_used(job, kind_with_fallback()),
                ElementsAre(Channel::push, Channel::email));
}

TEST(Channels, WithoutTemplatesAreRefusedAlsoWhereAJobTurnsTo) {
    Job job;
    job.channels = {Channel::push};
    const auto refused = check_channels(job, kind_with_fallback(),
                                        [](Channel channel) { return channel == Channel::push; });
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, "unknown_template");
    EXPECT_THAT(refused->message, HasSubstr("no email templates"));
    job.channels = {Channel::sms};
    EXPECT_TRUE(check_channels(job, kind_with_fallback(), [](Channel) { return false; }));
    EXPECT_FALSE(check_channels(job, kind_with_fallback(), [](Channel) { return true; }));
}

TEST(Exclusion, OfAPersonIsThatOfTheAddressThatCameFurthestButANoStands) {
    using enum Exclusion;
    EXPECT_EQ(of_person(suppressed, none), none);
    EXPECT_EQ(of_person(gone, no_address), no_address);
    EXPECT_EQ(of_person(invalid_address, suppressed), suppressed);
    EXPECT_EQ(of_person(suppressed, opted_out), opted_out);
    EXPECT_EQ(of_person(no_address, unsubscribed), unsubscribed);
    EXPECT_EQ(of_person(unsubscribed, duplicate), duplicate);
    EXPECT_FALSE(is_unreachable(to_fate(unsubscribed).reason));
    EXPECT_FALSE(is_unreachable(to_fate(duplicate).reason));
    EXPECT_TRUE(is_unreachable(to_fate(invalid_address).reason));
}

}  // namespace
}  // namespace fanfare
