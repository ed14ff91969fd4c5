// A log line says of whose trace it is.
#include "core/observe/log.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <string>

namespace fanfare {
namespace {

const std::string id = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string trace = "00-" + id + "-00f067aa0ba902b7-01 a=1";

std::string line(std::string_view format) {
    const auto formatter = log_formatter(format);
    spdlog::memory_buf_t out;
    formatter->format(spdlog::details::log_msg{"worker", spdlog::level::info, "job 1: \"told\""},
                      out);
    return {out.data(), out.size()};
}

TEST(LogTraceTest, ALineIsOfATraceWhileOneIsSaid) {
    const auto without = boost::json::parse(line("json")).as_object();
    EXPECT_FALSE(without.contains("trace"));
    EXPECT_EQ(line("text").find("trace="), std::string::npos);
    {
        const LogTrace about{trace};
        const auto with = boost::json::parse(line("json")).as_object();
        EXPECT_EQ(with.at("trace").as_string(), id);
        EXPECT_EQ(with.at("message"), without.at("message"));
        EXPECT_TRUE(line("text").ends_with("told\" trace=" + id + "\n")) << line("text");
        {
            const LogTrace none{""};
            EXPECT_FALSE(boost::json::parse(line("json")).as_object().contains("trace"));
        }
        EXPECT_EQ(boost::json::parse(line("json")).at("trace").as_string(), id)
            << "as it was before";
    }
    EXPECT_FALSE(boost::json::parse(line("json")).as_object().contains("trace"));
}

TEST(LogTraceTest, WhatIsNoTraceIsNotWritten) {
    const std::string bad = "00-\"}\n{\"level\":\"error\",\"x\":\"-00f067aa0ba902b7aaaaaaa-01";
    const LogTrace about{bad};
    EXPECT_FALSE(boost::json::parse(line("json")).as_object().contains("trace"));
}

}  // namespace
}  // namespace fanfare
