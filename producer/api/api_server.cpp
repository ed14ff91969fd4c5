#include "producer/api/api_server.hpp"

#include "core/audience/source.hpp"
#include "producer/api/routes.hpp"

#include <fmt/format.h>

namespace fanfare::api {
namespace {

constexpr std::size_t connections = 2;
constexpr postgres::Limits short_limits{.statement_timeout = std::chrono::seconds{5}};
constexpr postgres::Limits reading_limits{.statement_timeout = std::chrono::seconds{10},
                                          .read_only = true};
constexpr postgres::Limits long_limits{.statement_timeout = std::chrono::seconds{30},
                                       .read_only = true};

/// "show.reminder/sms.de.text.mustache" -> show.reminder, sms.de.text.
Shipped shipped_by_folder(std::vector<TemplateSource> sources) {
    Shipped shipped;
    for (auto& source : sources) {
        const std::filesystem::path path{source.path};
        shipped[path.parent_path().string()][path.stem().string()] = std::move(source.text);
    }
    return shipped;
}

/// What looks at orders, in every system's own database.
std::map<std::string, std::unique_ptr<postgres::Pool>> open_sources(const Settings& settings,
                                                                    const Systems& systems) {
    std::map<std::string, std::unique_ptr<postgres::Pool>> sources;
    for (const auto& [name, system] : systems) {
        auto limits = short_limits;
        limits.statement_timeout = std::min(limits.statement_timeout, system.statement_timeout);
        limits.read_only = true;
        sources[name] =
            std::make_unique<postgres::Pool>(database_for(settings, system), limits, connections);
    }
    return sources;
}

class WiredApiServer final : public ApiServer {
public:
    WiredApiServer(const Settings& settings, const Systems& systems, const Clock& clock,
                   Templates templates, Shipped shipped, prometheus::Registry& registry,
                   ApiContext::Publish publish, std::function<void()> hurry, Tracer* tracer)
        : templates_{std::move(templates)},
          shipped_{std::move(shipped)},
          clients_{settings.producer.clients, clock, registry},
          ledger_{settings.database.url, short_limits, connections},
          reading_{settings.database.url, reading_limits, connections},
          surveying_{settings.database.url, long_limits, connections},
          refreshing_{settings.database.url, long_limits, connections},
          sealing_{settings.database.url, short_limits, 1},
          lookup_{settings, systems, clock},
          orders_{clock, OrderLook::of_a_caller},
          sources_{open_sources(settings, systems)},
          parts_{.settings = settings,
                 .systems = systems,
                 .templates = templates_,
                 .shipped = shipped_,
                 .clock = clock,
                 .ledger = ledger_,
                 .reading = reading_,
                 .surveying = surveying_,
                 .refreshing = refreshing_,
                 .sealing = sealing_,
                 .turns = turns_,
                 .refreshes = refreshes_,
                 .orders = orders_,
                 .sources = sources_,
                 .publish = std::move(publish),
                 .lookup = lookup_,
                 .hurry = std::move(hurry),
                 .tracer = tracer} {}

    void add_routes(Router& router) override {
        add_api_routes(router, parts_, [this](const HttpCall& call, Scope scope) {
            return clients_.admit(call, scope);
        });
    }
    void add_inner_routes(Router& router) override {
        add_api_routes(router, parts_, [this](const HttpCall& call, Scope scope) {
            return clients_.admit_known(call.header(inner_client), scope);
        });
    }
    Clients& clients() override { return clients_; }
    void close() override {
        turns_.close();
        refreshes_.close();
    }
    std::vector<postgres::NamedPool> pools() const override {
        std::vector<postgres::NamedPool> all{{"api", "", &ledger_},
                                             {"api_reading", "", &reading_},
                                             {"api_surveys", "", &surveying_},
                                             {"api_due_queries", "", &refreshing_}};
        for (const auto& [name, pool] : sources_) all.push_back({"orders", name, pool.get()});
        return all;
    }

private:
    Templates templates_;
    Shipped shipped_;
    Clients clients_;
    postgres::Pool ledger_;
    postgres::Pool reading_;
    postgres::Pool surveying_;
    postgres::Pool refreshing_;
    postgres::Pool sealing_;
    Turns turns_;
    Turns refreshes_;
    AddressLookup lookup_;
    OrderLook orders_;
    std::map<std::string, std::unique_ptr<postgres::Pool>> sources_;
    ApiContext parts_;
};

}  // namespace

Result<std::unique_ptr<ApiServer>> ApiServer::open(const Settings& settings, const Systems& systems,
                                                   const Clock& clock,
                                                   prometheus::Registry& registry,
                                                   ApiContext::Publish publish,
                                                   std::function<void()> hurry, Tracer* tracer) {
    const auto refused = [](const Problems& problems) {
        return fail(Errc::config_invalid,
                    fmt::format("read the templates: {}", describe(problems.front())));
    };
    auto read = read_template_files(settings.templates_dir);
    if (const auto* const problems = std::get_if<Problems>(&read)) return refused(*problems);
    auto& sources = std::get<std::vector<TemplateSource>>(read);
    auto templates = Templates::parse(sources, settings.templates_dir);
    if (const auto* const problems = std::get_if<Problems>(&templates)) return refused(*problems);
    return std::unique_ptr<ApiServer>{std::make_unique<WiredApiServer>(
        settings, systems, clock, std::move(std::get<Templates>(templates)),
        shipped_by_folder(std::move(sources)), registry, std::move(publish), std::move(hurry),
        tracer)};
}

}  // namespace fanfare::api
