#include "core/audience/address.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

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

std::string sent(Channel channel, std::string_view written, Plus plus = Plus::needed) {
    std::string form;
    const auto fault = read_address(channel, written, form, plus);
    return fault == AddressFault::none ? form : "refused: it " + std::string{describe(fault)};
}

TEST(ReadAddress, ReachesWhoeverCanBeReachedByMail) {
    for (const auto& [written, form] : std::vector<std::pair<std::string, std::string>>{
             {"Ana@Example.com", "Ana@Example.com"},
             {"ana@m\u00fcller-beispiel.de", "ana@xn--mller-beispiel-gsb.de"},
             {"ana@\u4f8b\u3048.jp", "ana@xn--r8jz45g.jp"},
             {"ana@\uff45\uff58ample.com", "ana@example.com"},
             {"ana\uff20example.com", "ana@example.com"},
             {" ana@example.com", "ana@example.com"},
             {"ana@example.com ", "ana@example.com"},
             {"\tana@example.com\r\n", "ana@example.com"},
             {"\u00a0ana@example.com\u3000", "ana@example.com"},
             {"\ufeffana@example.com", "ana@example.com"},
             {"ana\u200b@exa\u00admple.com", "ana@example.com"},
             {"\u202aana@example.com\u202c", "ana@example.com"},
             {"ana@example.com.", "ana@example.com"},
             {"mailto:ana@example.com", "ana@example.com"},
             {"MAILTO:ana@example.com?subject=hi", "ana@example.com"},
             {"<ana@example.com>", "ana@example.com"},
             {"Ana, the first <ana@example.com>", "ana@example.com"},
             {"\"Ana\" <mailto:ana@example.com>", "ana@example.com"},
             {"\"ana.b\"@example.com", "ana.b@example.com"},
             {"\"Ana\" <\"ana\"@example.com>", "ana@example.com"},
             {"\"a\\n\\a\"@m\u00fcller-beispiel.de", "ana@xn--mller-beispiel-gsb.de"}}) {
        EXPECT_EQ(sent(Channel::email, written), form) << written;
        EXPECT_EQ(sent(Channel::email, form), form) << "read again";
    }
}

TEST(ReadAddress, ReachesWhoeverCanBeReachedByPhone) {
    for (const auto& [written, form] : std::vector<std::pair<std::string, std::string>>{
             {"\u202a+4915123456790\u202c", "+4915123456790"},
             {"+49\u00a0151\u00a023456791", "+4915123456791"},
             {"+49\u200b151\u202f23456791", "+4915123456791"},
             {"\u2066+49 151 23456791\u2069", "+4915123456791"},
             {"+49\u200d15123456791", "+4915123456791"},
             {"+1 (555) 010-0001", "+15550100001"},
             {"(+1) 555.010.0001", "+15550100001"},
             {"+1\u2011555\u2013010\u22120001", "+15550100001"},
             {"tel:+1-555-010-0001", "+15550100001"},
             {"TEL:+15550100001;ext=5", "+15550100001"},
             {"\uff0b\uff11 555 0100001", "+15550100001"},
             {"+\u0661 555 0100001", "+15550100001"},
             {"+44 (0)20 7946 0958", "+442079460958"},
             {"+39 06 6982 0000", "+390669820000"},
             {"+15550100001\n", "+15550100001"}}) {
        EXPECT_EQ(sent(Channel::sms, written), form) << written;
        EXPECT_EQ(sent(Channel::sms, form), form) << "read again";
    }
    EXPECT_EQ(sent(Channel::push, " abc:DEF_1-2\n\u200d"), "abc:DEF_1-2");
    EXPECT_EQ(sent(Channel::push, std::string(4096, 'a') + " "), std::string(4096, 'a'));
}

TEST(ReadAddress, SaysWhyThereIsNone) {
    using enum AddressFault;
    struct Row {
        Channel channel;
        std::string written;
        AddressFault fault;
    };
    for (const auto& [channel, written, fault] :
         std::vector<Row>{{Channel::email, "", missing},
                          {Channel::email, " \u200b\u200d\u00a0", missing},
                          {Channel::email, "a\xff@b.co", unreadable},
                          {Channel::email, "a@b.co\r\nBcc: x@y.zz", unreadable},
                          {Channel::email, "nobody", mailbox},
                          {Channel::email, "a@b@c.co", domain},
                          {Channel::email, "a b@c.co", mailbox},
                          {Channel::email, "a@b c.co", domain},
                          {Channel::email, "a@b.co,c@d.ee", domain},
                          {Channel::email, "a@b.co;c@d.ee", domain},
                          {Channel::email, "a@b.co, C <c@d.ee>", domain},
                          {Channel::email, "<a@b.co", mailbox},
                          {Channel::email, "@b.co", mailbox},
                          {Channel::email, "a\\b@b.co", mailbox},
                          {Channel::email, std::string(65, 'a') + "@b.co", mailbox},
                          {Channel::email, "\u00e9@b.co", mailbox_beyond_ascii},
                          {Channel::email, "\u7528\u6237@\u4f8b\u3048.jp", mailbox_beyond_ascii},
                          {Channel::email, "\"jos\u00e9\"@b.co", mailbox_beyond_ascii},
                          {Channel::email, "\"a b\"@b.co", mailbox_in_quotes},
                          {Channel::email, "\"a@b\"@b.co", mailbox_in_quotes},
                          {Channel::email, "\"a..b\"@b.co", mailbox_in_quotes},
                          {Channel::email, "a..b@docomo.example", mailbox_in_quotes},
                          {Channel::email, "a.@docomo.example", mailbox_in_quotes},
                          {Channel::email, "%recipient.x%@b.co", mailbox_with_percent},
                          {Channel::email, "a%c.co@b.co", mailbox_with_percent},
                          {Channel::email, "a@localhost", domain},
                          {Channel::email, "a@127.0.0.1", domain},
                          {Channel::email, "a@-\u00fc.co", domain},
                          {Channel::email, std::string(300, 'a') + "@b.co", too_long},
                          {Channel::sms, "not a number", no_number},
                          {Channel::sms, "+1 555 FLOWERS", no_number},
                          {Channel::sms, "+15558675310,+15558675311", no_number},
                          {Channel::sms, "15550100001", no_number},
                          {Channel::sms, "+1 555 01", impossible_number},
                          {Channel::sms, "+999 555 867 5310", impossible_number},
                          {Channel::sms, "", missing},
                          {Channel::push, "a b", token},
                          {Channel::push, std::string(4097, 'a'), too_long},
                          {Channel::push, "", missing}}) {
        std::string form;
        EXPECT_EQ(read_address(channel, written, form), fault) << written << ": " << form;
        EXPECT_FALSE(describe(fault).empty());
    }
}

TEST(ReadAddress, TakesNumbersOfProvidersWithoutTheirPlus) {
    for (const auto* const written : {"+1 (555) 010-0019", "1-555-010-0019", "15550100019",
                                      "\u00a01 555 010 0019", "tel:1-555-010-0019"}) {
        EXPECT_EQ(sent(Channel::sms, written, Plus::optional), "+15550100019") << written;
    }
    std::string form;
    EXPECT_EQ(read_address(Channel::sms, "0151 23456790", form, Plus::optional),
              AddressFault::impossible_number);
    EXPECT_EQ(read_address(Channel::sms, "not a number", form, Plus::optional),
              AddressFault::no_number);
}

TEST(ReadAddress, NeverTakesANationalNumberForSomebodyAbroad) {
    // The Netherlands, Peru, Morocco and Australia would have numbers of such digits.
    for (const auto* const written :
         {"(312) 555-0100", "512-555-0100", "212.555.0100", "615 550 1000", "tel:312-555-0100",
          "\u202a(312) 555-0100\u202c", "15550100019", "1 (555) 010-0019", "0151 23456790"}) {
        std::string form;
        EXPECT_EQ(read_address(Channel::sms, written, form), AddressFault::no_number) << form;
        EXPECT_EQ(find_compared_form(Channel::sms, written), std::nullopt) << written;
    }
    for (const auto* const written :
         {"(312) 555-0100", "512-555-0100", "138 1234 5678", "13812345678", "1-381-234-567",
          "1 5550 1000 1912", "44 20 7946 0958", "0151 23456790", "555-0100"}) {
        std::string form;
        EXPECT_EQ(read_address(Channel::sms, written, form, Plus::north_american),
                  AddressFault::no_number)
            << form;
    }
    for (const auto* const written :
         {"1-555-010-0019", "1 (555) 010-0019", "tel:1-555-010-0019", "+15550100019"}) {
        EXPECT_EQ(sent(Channel::sms, written, Plus::north_american), "+15550100019") << written;
    }
}

TEST(ComparedForm, IsOneForAllSpellings) {
    for (const auto* const written : {"Wanda1@Example.com", "wanda1@example.com",
                                      "WANDA1@EXAMPLE.COM.", " wanda1@Example.com"}) {
        EXPECT_EQ(find_compared_form(Channel::email, written), "wanda1@example.com") << written;
    }
    for (const auto* const written : {"Ana@M\u00dcLLER.de", "ana@xn--mller-kva.de",
                                      "ANA@XN--MLLER-KVA.DE", "ana@mu\u0308ller.de"}) {
        EXPECT_EQ(find_compared_form(Channel::email, written), "ana@xn--mller-kva.de") << written;
    }
    for (const auto* const written : {"+1 (555) 010-0001", "tel:+15550100001"}) {
        EXPECT_EQ(find_compared_form(Channel::sms, written), "+15550100001") << written;
    }
    EXPECT_EQ(find_compared_form(Channel::sms, "15550100001", Plus::optional), "+15550100001");
    EXPECT_EQ(find_compared_form(Channel::push, "Token:AbC"), "Token:AbC")
        << "tokens tell case apart";
    EXPECT_EQ(find_compared_form(Channel::sms, "not a number"), std::nullopt);
}

TEST(FormerForm, IsAsTheVersionBeforeComparesIt) {
    EXPECT_EQ(former_form(Channel::email, "Ada@Example.ORG"), "Ada@example.org");
    EXPECT_EQ(former_form(Channel::sms, "+15550100001"), "+15550100001");
    EXPECT_EQ(former_form(Channel::push, "Token:AbC"), "Token:AbC");
}

}  // namespace
}  // namespace fanfare
