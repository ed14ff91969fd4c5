#include "sim/admin/pages.hpp"
#include "sim/http/text.hpp"

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include <iterator>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

/// Walks the queue for one listing, a piece at a time. A reset in between ends it.
class EventListing {
public:
    EventListing(WebhookQueue& webhook_queue, std::optional<ProviderIndex> provider,
                 std::optional<std::string> job)
        : webhook_queue_{webhook_queue},
          provider_{provider},
          job_{std::move(job)},
          generation_{webhook_queue.generation()} {}

    bool operator()(std::string& out) {
        const auto lines = webhook_queue_.lines(next_, piece);
        if (lines.empty() || webhook_queue_.generation() != generation_) return false;
        next_ += lines.size();
        for (const auto& line : lines) {
            if ((provider_ && *provider_ != line.provider) || (job_ && *job_ != line.job)) continue;
            const auto told = line.told < EventKind::delivered ? EventKind::none : line.told;
            fmt::format_to(std::back_inserter(out), "{}\t{}\n", line.address, to_string(told));
        }
        return true;
    }

private:
    static constexpr std::size_t piece = 4'096;

    WebhookQueue& webhook_queue_;
    std::optional<ProviderIndex> provider_;
    std::optional<std::string> job_;
    std::uint64_t generation_;
    std::size_t next_ = 0;
};

}  // namespace

void show_events(SimulatorState& simulator, const Request& request, Answer& answer) {
    const auto name = query_parameter(request.query, "provider");
    const auto provider = provider_index(simulator, name);
    if (!name.empty() && !provider) return answer_problem(answer, 400, "no such provider");
    std::optional<std::string> job;
    if (request.query.starts_with("job=") || request.query.find("&job=") != std::string::npos) {
        job = query_parameter(request.query, "job");
    }
    answer.type = "text/plain; charset=utf-8";
    answer.more = EventListing{simulator.webhook_queue, provider, std::move(job)};
}

void show_webhooks(SimulatorState& simulator, const Request&, Answer& answer) {
    json::object shown;
    for (ProviderIndex i = 0; i < simulator.provider_count(); ++i) {
        shown[simulator.providers[i]->name()] = simulator.webhook_queue.summary(i);
    }
    answer.body = json::serialize(shown);
}

void show_webhook_keys(SimulatorState& simulator, const Request&, Answer& answer) {
    const auto keys = simulator.webhook_queue.keys();
    const json::object shown{{"mailgun_signing_key", keys->mailgun_signing_key},
                             {"sendgrid_public_key", sendgrid_public_key(*keys)},
                             {"sns_topic_arn", keys->sns_topic},
                             {"sns_certificate", keys->sns_certificate_pem},
                             {"sns_url", keys->sns_url},
                             {"twilio_account_sid", keys->twilio_sid},
                             {"twilio_auth_token", keys->twilio_token},
                             {"vonage_api_key", keys->vonage_api_key},
                             {"vonage_signature_secret", keys->vonage_secret}};
    answer.body = json::serialize(shown);
}

}  // namespace fanfare::sim
