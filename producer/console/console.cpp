#include "producer/console/console.hpp"

#include "producer/console/assets.hpp"
#include "producer/console/pages.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace fanfare::console {
namespace {

namespace asio = boost::asio;

asio::awaitable<HttpReply> go_to_jobs(const HttpCall&) { co_return redirect("/console/jobs"); }

asio::awaitable<HttpReply> show_asset(std::string name, std::string type, const HttpCall&) {
    auto reply = html_reply(200, asset(name));
    reply.content_type = std::move(type);
    for (auto& [header, value] : reply.headers) {
        if (header == "Cache-Control")
            value = "public, max-age=86400";  // Its URL says the version.
    }
    co_return reply;
}

/// Streams hold their connections: most are for others.
std::size_t slots_for_live(const ServerSettings& settings) {
    return std::clamp<std::size_t>(settings.connections_max / 4, 1, Console::live_max);
}

class WiredConsole final : public Console {
public:
    explicit WiredConsole(Parts parts)
        : settings_{parts.settings},
          systems_{parts.systems},
          clients_{parts.clients},
          sessions_{parts.settings.link_key, parts.clock},
          context_{std::move(parts.api), parts.clock},
          slots_{slots_for_live(parts.settings.producer.http)} {
        if (settings_.link_key.empty()) {
            spdlog::warn("no link_key: sessions of the console end with this process");
        }
    }

    void add_routes(Router& router) override {
        RouteOptions options;
        options.counted_as = counted_as;
        router.add("GET", "/console", go_to_jobs, options);
        router.add("GET", "/console/", go_to_jobs, options);
        add_asset(router, "console.css", "text/css; charset=utf-8");
        add_asset(router, "console.js", "text/javascript; charset=utf-8");
        add_asset(router, "icon.svg", "image/svg+xml");
        Pages pages{router, {context_, sessions_, clients_, slots_}};
        add_sign_in_pages(router, pages, {sessions_, clients_, settings_.producer.http});
        add_job_list_pages(pages);
        add_job_pages(pages);
        add_replay_pages(pages);
        add_account_pages(pages);
        add_letter_pages(pages);
        add_people_pages(pages);
        add_schedule_pages(pages);
        add_template_pages(pages);
        add_suppression_pages(pages, systems_);
        pages.get_nothing_else();
    }

    void close() override { slots_.close(); }

private:
    static void add_asset(Router& router, const std::string& name, const std::string& type) {
        RouteOptions options;
        options.counted_as = counted_as;
        router.add(
            "GET", "/console/" + name,
            [name, type](const HttpCall& call) { return show_asset(name, type, call); },
            std::move(options));
    }

    const Settings& settings_;
    const Systems& systems_;
    api::Clients& clients_;
    Sessions sessions_;
    PageContext context_;
    LiveSlots slots_;
};

}  // namespace

std::unique_ptr<Console> Console::open(Parts parts) {
    return std::make_unique<WiredConsole>(std::move(parts));
}

}  // namespace fanfare::console
