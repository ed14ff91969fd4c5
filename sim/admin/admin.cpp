#include "sim/admin/admin.hpp"

#include "sim/admin/pages.hpp"

#include <boost/json/serialize.hpp>

namespace fanfare::sim {

namespace {

void show_health(SimulatorState&, const Request&, Answer& answer) {
    answer.body = R"({"status":"ok"})";
}

struct Page {
    std::string_view method, path;
    void (*show)(SimulatorState&, const Request&, Answer&);
};

constexpr Page pages[] = {
    {"GET", "/healthz", show_health},
    {"GET", "/metrics", show_metrics},
    {"GET", "/control", show_control},
    {"POST", "/control", change_control},
    {"POST", "/control/hold", hold},
    {"POST", "/control/release", release},
    {"GET", "/oracle/summary", show_summary},
    {"GET", "/oracle/jobs", show_jobs},
    {"GET", "/oracle/accepted", show_accepted},
    {"GET", "/oracle/messages", show_messages},
    {"GET", "/oracle/calls", show_calls},
    {"GET", "/oracle/log", show_log},
    {"GET", "/oracle/events", show_events},
    {"GET", "/oracle/webhooks", show_webhooks},
    {"GET", "/control/webhook-keys", show_webhook_keys},
    {"POST", "/oracle/reset", reset},
};

}  // namespace

void answer_problem(Answer& answer, int status, std::string_view problem) {
    answer.status = status;
    answer.body = boost::json::serialize(boost::json::object{{"error", problem}});
}

void Admin::handle(const Request& request, Reaction& reaction) {
    bool known = false;
    for (const auto& page : pages) {
        if (page.path != request.path) continue;
        known = true;
        if (page.method == request.method) return page.show(simulator_, request, reaction.answer);
    }
    answer_problem(reaction.answer, known ? 405 : 404, known ? "wrong method" : "no such page");
}

}  // namespace fanfare::sim
