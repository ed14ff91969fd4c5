#include "worker/providers/address.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fanfare {
namespace {

TEST(Address, TakesOrdinaryEmailAddresses) {
    for (const std::string address :
         {"a@b.co", "first.last@example.com", "o'brien+shows@mail.example.co.uk",
          "x_y-z@xn--bcher-kva.example", "123@456.example", "A@B.ORG"}) {
        EXPECT_TRUE(address_is_sendable(Channel::email, address)) << address;
    }
}

TEST(Address, RefusesWhatCouldMeanMoreThanOneMailbox) {
    for (const std::string address : {"",
                                      "a",
                                      "@",
                                      "a@",
                                      "@b.co",
                                      "a@b",
                                      "a@b.",
                                      "a@.b.co",
                                      "a@b..co",
                                      ".a@b.co",
                                      "a.@b.co",
                                      "a..b@b.co",
                                      "a@b@c.co",
                                      "a b@c.co",
                                      " a@b.co",
                                      "a@b.co ",
                                      "a@b.co\r\nBcc: x@y.zz",
                                      "a@b.co\n",
                                      "a@b.co,c@d.ee",
                                      "a@b.co;c@d.ee",
                                      "<a@b.co>",
                                      "A <a@b.co>",
                                      "\"a\"@b.co",
                                      "a\\b@c.co",
                                      "(x)a@b.co",
                                      "a@[127.0.0.1]",
                                      "a@127.0.0.1",
                                      "a@-b.co",
                                      "a@b-.co",
                                      "a%b@c.co",
                                      "%recipient.x%@b.co",
                                      "a@b_c.co",
                                      "a@b:c.co",
                                      "\xC3\xA9@b.co",
                                      "a@\xC3\xA9.co",
                                      "a\x7F@b.co"}) {
        EXPECT_FALSE(address_is_sendable(Channel::email, address)) << address;
    }
    EXPECT_FALSE(address_is_sendable(Channel::email, std::string_view{"a\0@b.co", 7}));
}

TEST(Address, BoundsTheLengthOfEmailAddresses) {
    const auto address = [](std::size_t local, std::size_t label) {
        return std::string(local, 'a') + "@" + std::string(label, 'b') + ".example";
    };
    EXPECT_TRUE(address_is_sendable(Channel::email, address(64, 63)));
    EXPECT_FALSE(address_is_sendable(Channel::email, address(65, 63)));
    EXPECT_FALSE(address_is_sendable(Channel::email, address(64, 64)));
    const std::string label = std::string(61, 'b') + ".";
    const std::string longest = std::string(64, 'a') + "@" + label + label + label + "cc";
    ASSERT_EQ(longest.size(), 253U);
    EXPECT_TRUE(address_is_sendable(Channel::email, longest));
    EXPECT_TRUE(address_is_sendable(Channel::email, longest + "c"));
    EXPECT_FALSE(address_is_sendable(Channel::email, longest + "cc"));
}

TEST(Address, TakesE164NumbersOnly) {
    for (const std::string number : {"+1234567", "+15558675310", "+123456789012345"}) {
        EXPECT_TRUE(address_is_sendable(Channel::sms, number)) << number;
    }
    for (const std::string number :
         {"", "+", "15558675310", "+123456", "+1234567890123456", "+05558675310", "+1555867531O",
          "+1 5558675310", "+15558675310\n", "++5558675310", "+1-555-8675310",
          "whatsapp:+155586"}) {
        EXPECT_FALSE(address_is_sendable(Channel::sms, number)) << number;
    }
}

TEST(Address, TakesPushTokens) {
    EXPECT_TRUE(address_is_sendable(Channel::push, "dGVz-dA_:APA91b"));
    EXPECT_TRUE(address_is_sendable(Channel::push, std::string(4096, 'a')));
    EXPECT_FALSE(address_is_sendable(Channel::push, std::string(4097, 'a')));
    for (const std::string token : {"", "a b", "a\"b", "a/b", "a\n", "a%b", "a.b", "\xC3\xA9"}) {
        EXPECT_FALSE(address_is_sendable(Channel::push, token)) << token;
    }
}

}  // namespace
}  // namespace fanfare
