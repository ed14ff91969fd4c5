// W3C Trace Context: what a traceparent may look like, and what it must not.
#include "core/domain/trace.hpp"

#include "core/wire/trace_context.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using Headers = std::vector<std::pair<std::string, std::string>>;

const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string span = "00f067aa0ba902b7";
const std::string parent = "00-" + trace + "-" + span + "-01";

bool is_one(const std::string& text) { return parse_trace(text).has_value(); }

TEST(Trace, AnIdAParentAndAFlag) {
    const auto read = parse_trace(parent);
    ASSERT_TRUE(read);
    EXPECT_EQ(to_hex(read->trace), trace);
    EXPECT_EQ(to_hex(read->span), span);
    EXPECT_TRUE(read->sampled);
    EXPECT_EQ(traceparent(*read), parent);
    EXPECT_FALSE(parse_trace("00-" + trace + "-" + span + "-00")->sampled);
}

TEST(Trace, OfTheFlagsOneIsKnownAndPassedOn) {
    for (const std::string flags : {"03", "09", "ff", "a1"}) {
        const auto read = parse_trace("00-" + trace + "-" + span + "-" + flags);
        ASSERT_TRUE(read) << flags;
        EXPECT_EQ(traceparent(*read), parent) << flags;
    }
    EXPECT_FALSE(parse_trace("00-" + trace + "-" + span + "-02")->sampled);
    EXPECT_FALSE(parse_trace("00-" + trace + "-" + span + "-fe")->sampled);
}

TEST(Trace, WhatIsNoneIsNone) {
    const std::string zeros(32, '0');
    for (const std::string& text : {
             std::string{},
             std::string{"00"},
             parent.substr(1),
             parent + " ",
             " " + parent,
             parent + "-",
             parent + "-00",
             parent.substr(0, 54),
             "00-" + zeros + "-" + span + "-01",
             "00-" + trace + "-" + zeros.substr(0, 16) + "-01",
             "ff-" + trace + "-" + span + "-01",
             "0g-" + trace + "-" + span + "-01",
             "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + span + "-01",
             "00-" + trace + "-" + "00F067AA0BA902B7-01",
             "00-" + trace + "-" + span + "-0X",
             "00_" + trace + "-" + span + "-01",
             "00-" + trace + "_" + span + "-01",
             "00-" + trace + "-" + span + "_01",
             "00-" + trace.substr(1) + "-" + span + "-001",
             "00-" + trace.substr(1) + "g-" + span + "-01",
         }) {
        EXPECT_FALSE(is_one(text)) << text;
    }
}

TEST(Trace, OfALaterVersionWhatIsKnownCounts) {
    const std::string later = "cc-" + trace + "-" + span + "-01";
    for (const auto& text : {later, later + "-", later + "-what the future will be like"}) {
        const auto read = parse_trace(text);
        ASSERT_TRUE(read) << text;
        EXPECT_EQ(traceparent(*read), parent) << "told on as the version that we speak";
    }
    EXPECT_FALSE(is_one(later + "."));
    EXPECT_FALSE(is_one(later + "0"));
}

std::string many_members(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += fmt::format("{}a{}=1", i > 0 ? "," : "", i);
    return text;
}

TEST(Trace, AStateIsPassedOnAndABadOneIsNot) {
    for (const auto& good : {std::string{"rojo=00f067aa0ba902b7,congo=t61"}, many_members(32),
                             std::string{"fw529a3039@dt=FfAAAA"}, std::string{"a=1 ,\tb=2,,c=3"},
                             std::string{"0t@v*/_-=#<>"}}) {
        EXPECT_EQ(parse_trace(parent, good)->state, good);
    }
    for (const auto& bad :
         {std::string{}, std::string{"words"}, std::string{"a=\n"}, std::string{"a=\xc3\xa9"},
          "a=" + std::string(511, 'x'), std::string{"note = ana"}, std::string{"A=1"},
          std::string{"a=1,b"}, std::string{"a=1=2"}, std::string{"a="}, std::string{","},
          "k" + std::string(256, 'k') + "=1", many_members(33)}) {
        const auto read = parse_trace(parent, bad);
        ASSERT_TRUE(read);
        EXPECT_EQ(read->state, "") << bad;
    }
}

TEST(Trace, AsOneTextItComesBack) {
    for (const std::string state : {"", "a=1", "a=1 2,b=3"}) {
        const auto read = parse_trace(parent, state);
        EXPECT_EQ(decode_trace(encode_trace(*read)), read) << state;
        EXPECT_EQ(trace_id_in(encode_trace(*read)), trace);
    }
    EXPECT_FALSE(decode_trace(""));
    EXPECT_FALSE(decode_trace("a=1"));
    EXPECT_EQ(trace_id_in(""), "");
}

TEST(Trace, NewIdsAreNeverTheSame) {
    EXPECT_NE(new_trace_id(), new_trace_id());
    EXPECT_NE(new_span_id(), new_span_id());
    EXPECT_NE(new_trace_id(), TraceId{});
}

TEST(Trace, HeadersSayIt) {
    EXPECT_THAT(trace_headers(""), IsEmpty());
    EXPECT_THAT(trace_headers("rubbish"), IsEmpty());
    EXPECT_THAT(trace_headers(parent), ElementsAre(Pair("traceparent", parent)));
    EXPECT_THAT(trace_headers(parent + " a=1"),
                ElementsAre(Pair("traceparent", parent), Pair("tracestate", "a=1")));
    EXPECT_EQ(read_trace(Headers{{"x", "y"}}), "");
    EXPECT_EQ(read_trace(Headers{{"TraceParent", parent}}), parent);
    EXPECT_EQ(read_trace(Headers{{"traceparent", parent}, {"tracestate", "a=1"}}), parent + " a=1");
    EXPECT_EQ(read_trace(Headers{{"tracestate", "a=1"}}), "");
    EXPECT_EQ(read_trace(Headers{{"traceparent", parent}, {"traceparent", parent}}), "");
}

}  // namespace
}  // namespace fanfare
