#include "producer/api/subjects.hpp"

#include "core/ledger/progress.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/text_validation.hpp"
#include "producer/api/to_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <map>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr int subject_jobs_max = 1'000;
constexpr std::array<std::string_view, 5> notification_states{"scheduled", "publishing",
                                                              "published", "expired", "cancelled"};

/// What several jobs come to.
struct Sum {
    std::int64_t jobs = 0;
    std::vector<ledger::ChannelProgress> channels;

    void add(const ledger::JobProgress& job) {
        ++jobs;
        for (const auto& each : job.channels) {
            const auto same = [&](const auto& one) { return one.channel == each.channel; };
            auto known = std::find_if(channels.begin(), channels.end(), same);
            if (known == channels.end()) {
                channels.push_back(each);
                continue;
            }
            known->planned += each.planned;
            for (std::size_t i = 0; i < outcome_count; ++i) known->outcomes[i] += each.outcomes[i];
        }
    }
};

asio::awaitable<HttpReply> show_subject(const ApiContext& parts, const HttpCall& call,
                                        const Caller& caller) {
    const std::string system{call.param("system")};
    const std::string subject{call.param("subject")};
    if (auto denial = denied(caller, system)) co_return std::move(*denial);
    if (!parts.systems.contains(system) || !is_plain(subject, Job::id_bytes_max)) {
        co_return nothing_here("system or subject");
    }
    const auto& sources = caller.access.sources;
    auto work = [&](postgres::Connection& ledger) {
        return ledger::progress_about(ledger, system, subject, sources, subject_jobs_max);
    };
    std::string client = caller.client;
    const auto turn = co_await parts.turns.take(std::move(client));
    if (!turn) co_return busy();
    std::string doing{"look up a subject"};
    const auto found = co_await parts.surveying.run(std::move(doing), work);
    if (!found) co_return unavailable(found.error());
    const auto& about = found.value();
    Sum all;
    std::map<std::string, Sum> by_kind;
    for (const auto& job : about.jobs) {
        all.add(job);
        by_kind[job.kind].add(job);
    }
    json::object notifications;
    for (const auto state : notification_states) {
        const auto count = about.notifications.find(std::string{state});
        const bool some = count != about.notifications.end();
        notifications[text(state)] = some ? count->second : 0;
    }
    json::array kinds;
    for (const auto& [kind, sum] : by_kind) {
        kinds.push_back(
            json::object{{"kind", kind}, {"jobs", sum.jobs}, {"channels", to_json(sum.channels)}});
    }
    const json::object document{{"system", system},
                                {"subject", subject},
                                {"notifications", std::move(notifications)},
                                {"jobs", all.jobs},
                                {"channels", to_json(all.channels)},
                                {"kinds", std::move(kinds)}};
    co_return reply_with(200, document);
}

}  // namespace

void add_subject_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    routes.get("/v1/systems/{system}/subjects/{subject}", Scope::read,
               [&parts](const HttpCall& call, const Caller& caller) {
                   return show_subject(parts, call, caller);
               });
}

}  // namespace fanfare::api
