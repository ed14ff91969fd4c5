#include "producer/api/subjects.hpp"

#include "core/domain/uuid.hpp"
#include "core/ledger/due_job.hpp"
#include "core/ledger/notification_edits.hpp"
#include "core/ledger/progress.hpp"
#include "producer/api/fields.hpp"
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

/// What of a subject is to be cancelled: everything pending, that of one kind, or one moment.
struct Part {
    std::string kind;
    std::string occurrence;
};

std::variant<Part, HttpReply> read_part(const HttpCall& call, const System& system) {
    Part part;
    if (call.body.empty()) return part;
    Fields fields{call.body, {"kind", "occurrence"}};
    part.occurrence = fields.moment("occurrence", false);
    part.kind =
        part.occurrence.empty() ? fields.text_if_there("kind", 100) : fields.text("kind", 100);
    if (auto fault = fields.fault()) return std::move(*fault);
    if (part.kind.empty() || system.find_kind(part.kind) != nullptr) return part;
    return refusal(422, "unknown_kind", "/kind: the system has no such kind");
}

asio::awaitable<HttpReply> cancel_subject(const ApiContext& parts, const HttpCall& call,
                                          const Caller& caller) {
    const std::string name{call.param("system")};
    const std::string subject{call.param("subject")};
    if (auto denial = denied(caller, name)) co_return std::move(*denial);
    const auto system = parts.systems.find(name);
    if (system == parts.systems.end() || !is_plain(subject, 200)) {
        co_return nothing_here("system or subject");
    }
    const auto read = read_part(call, system->second);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) co_return *reply;
    const auto& [kind, occurrence] = std::get<Part>(read);
    auto work = [&](postgres::Connection& connection) {
        std::vector<ledger::NotificationKey> wanted;
        if (!occurrence.empty()) {
            wanted.push_back({name, kind, subject, occurrence});
            if (caller.owner_bound) {
                const auto own = ledger::subject_of_owner(subject, caller.owner);
                wanted.push_back({name, kind, own, occurrence});
            }
        } else {
            wanted = ledger::open_of_subject(connection, name, subject, kind, caller.access);
        }
        json::array ids;
        for (const auto& key : wanted) {
            const auto edit = ledger::cancel_notification(connection, parts.systems, key,
                                                          caller.access, caller.client);
            if (edit != ledger::Edit::done) continue;
            ids.push_back(json::value(derived_id(ledger::derivation_name(key))));
        }
        return ids;
    };
    std::string doing{"cancel a subject"};
    const auto cancelled = co_await parts.ledger.run(std::move(doing), work);
    if (!cancelled) co_return unavailable(cancelled.error());
    const json::object document{{"cancelled", cancelled.value()}};
    co_return reply_with(200, document);
}

}  // namespace

void add_subject_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    routes.get("/v1/systems/{system}/subjects/{subject}", Scope::read,
               [&parts](const HttpCall& call, const Caller& caller) {
                   return show_subject(parts, call, caller);
               });
    routes.post("/v1/systems/{system}/subjects/{subject}/cancel", Scope::cancel,
                [&parts](const HttpCall& call, const Caller& caller) {
                    return cancel_subject(parts, call, caller);
                });
}

}  // namespace fanfare::api
