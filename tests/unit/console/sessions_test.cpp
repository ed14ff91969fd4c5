// Cookies that only we make, and that end.
#include "producer/console/sessions.hpp"

#include <gtest/gtest.h>

namespace fanfare::console {
namespace {

const Secret link_key{"a link key of at least 32 bytes, for tests"};

class SessionsTest : public ::testing::Test {
protected:
    ManualClock clock{TimePoint{std::chrono::seconds{1'700'000'000}}};
    Sessions sessions{link_key, clock};
};

TEST_F(SessionsTest, OpensWhatItSealed) {
    const auto session = sessions.begin("shop", "mark");
    EXPECT_EQ(sessions.open(sessions.seal(session)), session);
    EXPECT_EQ(session.until, clock.now() + Sessions::life);
}

TEST_F(SessionsTest, OpensWhatAnotherReplicaSealed) {
    const Sessions other{link_key, clock};
    const auto session = other.begin("shop", "mark");
    EXPECT_EQ(sessions.open(other.seal(session)), session);
    EXPECT_EQ(sessions.form_word(session), other.form_word(session));
}

TEST_F(SessionsTest, SealsWithoutCharactersThatMeanSomethingInACookie) {
    const auto sealed = sessions.seal(sessions.begin("shop-1", std::string(64, 'a')));
    EXPECT_EQ(sealed.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-_."),
              std::string::npos)
        << sealed;
}

TEST_F(SessionsTest, OpensNothingThatWasTouched) {
    const auto sealed = sessions.seal(sessions.begin("shop", "mark"));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto touched = sealed;
        touched[i] = touched[i] == 'x' ? 'y' : 'x';
        EXPECT_EQ(sessions.open(touched), std::nullopt) << i;
        EXPECT_EQ(sessions.open(sealed.substr(0, i)), std::nullopt) << i;
    }
    EXPECT_EQ(sessions.open(sealed + "."), std::nullopt);
    EXPECT_EQ(sessions.open(sealed + sealed), std::nullopt);
    EXPECT_EQ(sessions.open(std::string(100'000, '.')), std::nullopt);
}

TEST_F(SessionsTest, OpensNothingOfAnotherKey) {
    const Sessions other{Secret{"another link key of at least 32 bytes, too"}, clock};
    EXPECT_EQ(sessions.open(other.seal(other.begin("shop", "mark"))), std::nullopt);
}

TEST_F(SessionsTest, WithoutALinkKeyEachProcessHasItsOwn) {
    const Sessions one{Secret{}, clock};
    const Sessions two{Secret{}, clock};
    const auto sealed = one.seal(one.begin("shop", "mark"));
    EXPECT_TRUE(one.open(sealed));
    EXPECT_FALSE(two.open(sealed));
}

TEST_F(SessionsTest, EndWithTheirTime) {
    const auto sealed = sessions.seal(sessions.begin("shop", "mark"));
    clock.advance(Sessions::life - std::chrono::seconds{1});
    EXPECT_TRUE(sessions.open(sealed));
    clock.advance(std::chrono::seconds{1});
    EXPECT_FALSE(sessions.open(sealed));
}

TEST_F(SessionsTest, AFormsWordIsOfOneSessionAlone) {
    const auto one = sessions.begin("shop", "mark");
    const auto two = sessions.begin("shop", "mark");
    EXPECT_EQ(sessions.form_word(one), sessions.form_word(one));
    EXPECT_NE(sessions.form_word(one), sessions.form_word(two));
    EXPECT_EQ(sessions.seal(one).find(sessions.form_word(one)), std::string::npos)
        << "the cookie does not tell it";
}

}  // namespace
}  // namespace fanfare::console
