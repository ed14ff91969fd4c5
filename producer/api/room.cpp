#include "producer/api/room.hpp"

#include "producer/api/desk.hpp"

#include <fmt/format.h>

namespace fanfare::api {
namespace {

constexpr std::size_t connections = 2;
constexpr postgres::Limits short_limits{.statement_timeout = std::chrono::seconds{5}};
constexpr postgres::Limits long_limits{.statement_timeout = std::chrono::seconds{30},
                                       .read_only = true};

class WiredRoom final : public Room {
public:
    WiredRoom(const Settings& settings, const Systems& systems, const Clock& clock,
              Templates templates, Parts::Publish publish, std::function<void()> hurry)
        : templates_{std::move(templates)},
          ledger_{settings.database.url, short_limits, connections},
          reading_{settings.database.url, long_limits, connections},
          parts_{.settings = settings,
                 .systems = systems,
                 .templates = templates_,
                 .clock = clock,
                 .ledger = ledger_,
                 .reading = reading_,
                 .publish = std::move(publish),
                 .hurry = std::move(hurry)} {}

    void add_routes(Router& router) override { add_api_routes(router, parts_); }

private:
    Templates templates_;
    postgres::Pool ledger_;
    postgres::Pool reading_;
    Parts parts_;
};

}  // namespace

Result<std::unique_ptr<Room>> Room::open(const Settings& settings, const Systems& systems,
                                         const Clock& clock, Parts::Publish publish,
                                         std::function<void()> hurry) {
    auto templates = Templates::load(settings.templates_dir);
    if (const auto* const problems = std::get_if<Problems>(&templates)) {
        return fail(Errc::config_invalid,
                    fmt::format("read the templates: {}", describe(problems->front())));
    }
    return std::unique_ptr<Room>{std::make_unique<WiredRoom>(
        settings, systems, clock, std::move(std::get<Templates>(templates)), std::move(publish),
        std::move(hurry))};
}

}  // namespace fanfare::api
