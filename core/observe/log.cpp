#include "core/observe/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <memory>
#include <string>

namespace fanfare {
namespace {

/// `%*`: the message as a JSON string, so that one event is one line whatever it says.
class JsonMessage final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& out) override {
        const auto text = boost::json::serialize(boost::json::value(
            boost::json::string_view(message.payload.data(), message.payload.size())));
        out.append(text.data(), text.data() + text.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<JsonMessage>();
    }
};

}  // namespace

void start_log(std::string_view program, const ObserveSettings& settings) {
    auto logger = std::make_shared<spdlog::logger>(
        std::string{program}, std::make_shared<spdlog::sinks::stderr_sink_mt>());
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    if (settings.log_format == "text") {
        formatter->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %n %l %v");
    } else {
        formatter->add_flag<JsonMessage>('*').set_pattern(
            R"({"at":"%Y-%m-%dT%H:%M:%S.%eZ","program":"%n","level":"%l","message":%*})");
    }
    logger->set_formatter(std::move(formatter));
    logger->set_level(spdlog::level::from_str(settings.log_level));
    logger->flush_on(spdlog::level::warn);
    spdlog::set_default_logger(std::move(logger));
    spdlog::flush_every(std::chrono::seconds{1});
}

}  // namespace fanfare
