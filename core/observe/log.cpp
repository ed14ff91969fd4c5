#include "core/observe/log.hpp"

#include "core/domain/printable.hpp"
#include "core/domain/trace.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <csignal>
#include <memory>
#include <string>

namespace fanfare {
namespace {

/// `%*`: the message, so that one event is one line whatever it says, and no line drives the
/// terminal that shows it.
class CleanMessage final : public spdlog::custom_flag_formatter {
public:
    explicit CleanMessage(bool as_json) : as_json_{as_json} {}

    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& out) override {
        auto text = printable_lines({message.payload.data(), message.payload.size()});
        if (as_json_) {
            text = boost::json::serialize(
                boost::json::value(boost::json::string_view{text.data(), text.size()}));
        } else {
            std::replace(text.begin(), text.end(), '\n', ' ');
        }
        out.append(text.data(), text.data() + text.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<CleanMessage>(as_json_);
    }

private:
    bool as_json_;
};

thread_local std::string_view trace_now;

/// `%&`: the trace that it is about, where there is one.
class TraceField final : public spdlog::custom_flag_formatter {
public:
    explicit TraceField(bool as_json) : as_json_{as_json} {}

    void format(const spdlog::details::log_msg&, const std::tm&,
                spdlog::memory_buf_t& out) override {
        if (trace_now.empty()) return;
        append(as_json_ ? R"(,"trace":")" : " trace=", out);
        append(trace_now, out);
        if (as_json_) append("\"", out);
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<TraceField>(as_json_);
    }

private:
    static void append(std::string_view text, spdlog::memory_buf_t& out) {
        out.append(text.data(), text.data() + text.size());
    }

    bool as_json_;
};

}  // namespace

LogTrace::LogTrace(std::string_view trace) noexcept : before_{trace_now} {
    trace_now = trace_id_in(trace);
}

LogTrace::~LogTrace() { trace_now = before_; }

std::unique_ptr<spdlog::formatter> log_formatter(std::string_view format) {
    const bool as_json = format != "text";
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    formatter->add_flag<CleanMessage>('*', as_json)
        .add_flag<TraceField>('&', as_json)
        .set_pattern(
            as_json ? R"({"at":"%Y-%m-%dT%H:%M:%S.%eZ","program":"%n","level":"%l","message":%*%&})"
                    : "%Y-%m-%dT%H:%M:%S.%eZ %n %l %*%&");
    return formatter;
}

void start_log(std::string_view program, const ObserveSettings& settings) {
    std::signal(SIGPIPE, SIG_IGN);
    auto logger = std::make_shared<spdlog::logger>(
        std::string{program}, std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_formatter(log_formatter(settings.log_format));
    logger->set_level(spdlog::level::from_str(settings.log_level));
    logger->flush_on(spdlog::level::warn);
    spdlog::set_default_logger(std::move(logger));
    spdlog::flush_every(std::chrono::seconds{1});
}

}  // namespace fanfare
