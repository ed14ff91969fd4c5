#include "producer/api/room.hpp"

#include "producer/api/desk.hpp"
#include "producer/api/publisher.hpp"

#include <fmt/format.h>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;

constexpr std::size_t connections = 2;
constexpr postgres::Limits short_limits{.statement_timeout = std::chrono::seconds{5}};
constexpr postgres::Limits long_limits{.statement_timeout = std::chrono::seconds{30},
                                       .read_only = true};

class WiredRoom final : public Room {
public:
    WiredRoom(const Settings& settings, const Systems& systems, const Clock& clock,
              Templates templates, std::unique_ptr<JobPublisher> publisher,
              std::function<void()> hurry)
        : templates_{std::move(templates)},
          publisher_{std::move(publisher)},
          ledger_{settings.database.url, short_limits, connections},
          reading_{settings.database.url, long_limits, connections},
          parts_{.settings = settings,
                 .systems = systems,
                 .templates = templates_,
                 .clock = clock,
                 .ledger = ledger_,
                 .reading = reading_,
                 .publish =
                     [this](std::string job, std::string body) {
                         return publisher_->publish(std::move(job), std::move(body));
                     },
                 .hurry = std::move(hurry)} {}

    void add_routes(Router& router) override { add_api_routes(router, parts_); }

private:
    Templates templates_;
    std::unique_ptr<JobPublisher> publisher_;
    postgres::Pool ledger_;
    postgres::Pool reading_;
    Parts parts_;
};

}  // namespace

Result<std::unique_ptr<Room>> Room::open(const Settings& settings, const Systems& systems,
                                         const Clock& clock, asio::any_io_executor executor,
                                         std::function<void()> hurry) {
    auto templates = Templates::load(settings.templates_dir);
    if (const auto* const problems = std::get_if<Problems>(&templates)) {
        return fail(Errc::config_invalid,
                    fmt::format("read the templates: {}", describe(problems->front())));
    }
    auto publisher = JobPublisher::open(settings.kafka, std::move(executor));
    if (!publisher) return publisher.error();
    return std::unique_ptr<Room>{std::make_unique<WiredRoom>(
        settings, systems, clock, std::move(std::get<Templates>(templates)),
        std::move(publisher.value()), std::move(hurry))};
}

}  // namespace fanfare::api
