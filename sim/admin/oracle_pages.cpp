#include "sim/admin/pages.hpp"
#include "sim/http/text.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <iterator>
#include <map>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

struct Count {
    std::string_view name;
    std::uint64_t Tally::*member;
    std::string_view help;
};

constexpr Count counts[] = {
    {"requests", &Tally::requests, "Requests"},
    {"accepted", &Tally::accepted, "Messages accepted, repeats included"},
    {"people", &Tally::people, "Distinct jobs and addresses that were told"},
    {"duplicated", &Tally::duplicated, "Of these, told more than once"},
    {"refused", &Tally::refused, "Messages refused for good"},
    {"throttled", &Tally::throttled, "Requests answered with a throttle"},
    {"violations", &Tally::violations, "Requests beyond the limits"},
    {"errors", &Tally::errors, "Requests answered with a fault before anything was taken"},
    {"lost_before", &Tally::lost_before,
     "Requests whose connection was cut before they were taken"},
    {"lost_after", &Tally::lost_after, "Requests taken whose answer was cut off"},
    {"blackholed", &Tally::blackholed, "Requests that were never answered"},
    {"malformed", &Tally::malformed, "Answers that were garbled"},
    {"errors_after", &Tally::errors_after, "Requests taken and answered with a fault"},
    {"bad_requests", &Tally::bad_requests, "Requests that no provider would read"},
    {"dry_runs", &Tally::dry_runs, "Requests that asked for no delivery"},
    {"leaks", &Tally::leaks, "Messages that showed recipients to each other"},
    {"unfilled", &Tally::unfilled, "Recipients of a batch without variables of their own"},
    {"largest_batch", &Tally::largest_batch, "Most recipients of one request"},
};

json::object show(const Tally& tally) {
    json::object shown;
    for (const auto& count : counts) shown[count.name] = tally.*count.member;
    shown["extra"] = tally.extra();
    shown["first_accept_ns"] = tally.first_accept_ns;
    shown["last_accept_ns"] = tally.last_accept_ns;
    return shown;
}

json::object show(const Oracle::ProviderState& state) {
    auto shown = show(state.tally);
    shown["concurrent"] = state.concurrent;
    shown["max_concurrent"] = state.concurrent_max;
    shown["max_requests_per_second"] = state.requests_peak.peak();
    shown["max_recipients_per_second"] = state.recipients_peak.peak();
    return shown;
}

/// Walks the index for one listing, a piece at a time. A reset in between ends it.
class Listing {
public:
    Listing(SimulatorState& simulator, std::string provider, std::string job, bool any_job)
        : simulator_{simulator},
          provider_{std::move(provider)},
          job_{std::move(job)},
          any_job_{any_job},
          generation_{simulator.oracle.generation()} {}

    bool operator()(std::string& out) {
        const std::lock_guard lock{simulator_.mutex};
        const auto& accepted = simulator_.oracle.accepted();
        if (simulator_.oracle.generation() != generation_) return false;
        const auto until = std::min<std::uint64_t>(accepted.size(), std::uint64_t{next_} + piece);
        for (; next_ < until; ++next_) {
            const auto line = accepted.line(next_);
            if (!wanted(line.job)) continue;
            fmt::format_to(std::back_inserter(out), "{}\t{}\n", line.address, line.count);
        }
        return next_ < accepted.size();
    }

private:
    static constexpr std::uint32_t piece = 4'096;

    [[nodiscard]] bool wanted(std::uint32_t index) const {
        const auto& job = simulator_.oracle.jobs()[index];
        return (any_job_ || job.name == job_) &&
               (provider_.empty() || simulator_.providers[job.provider]->name() == provider_);
    }

    SimulatorState& simulator_;
    std::string provider_;
    std::string job_;
    bool any_job_;
    std::uint64_t generation_;
    std::uint32_t next_ = 0;
};

bool names_job(const Request& request) {
    return request.query.starts_with("job=") ||
           request.query.find("&job=") != std::string_view::npos;
}

}  // namespace

void show_summary(SimulatorState& simulator, const Request& request, Answer& answer) {
    const auto wanted = query_parameter(request.query, "job");
    const std::lock_guard lock{simulator.mutex};
    json::object shown;
    for (ProviderIndex i = 0; i < simulator.provider_count(); ++i) {
        const auto name = simulator.providers[i]->name();
        shown[name] = names_job(request) ? show(Tally{}) : show(simulator.oracle.provider(i));
    }
    if (names_job(request)) {
        for (const auto& job : simulator.oracle.jobs()) {
            if (job.name == wanted)
                shown[simulator.providers[job.provider]->name()] = show(job.tally);
        }
    }
    answer.body = json::serialize(shown);
}

void show_jobs(SimulatorState& simulator, const Request&, Answer& answer) {
    const std::lock_guard lock{simulator.mutex};
    json::array shown;
    for (const auto& job : simulator.oracle.jobs()) {
        auto entry = show(job.tally);
        entry["job"] = job.name;
        entry["provider"] = simulator.providers[job.provider]->name();
        shown.push_back(std::move(entry));
    }
    answer.body = json::serialize(shown);
}

void show_accepted(SimulatorState& simulator, const Request& request, Answer& answer) {
    const auto provider = query_parameter(request.query, "provider");
    if (!provider.empty() && !provider_index(simulator, provider)) {
        return answer_problem(answer, 400, "no such provider");
    }
    const std::lock_guard lock{simulator.mutex};
    answer.type = "text/plain; charset=utf-8";
    answer.more =
        Listing{simulator, provider, query_parameter(request.query, "job"), !names_job(request)};
}

namespace {

/// What every provider may answer is there from the start; 0: no answer.
constexpr int usual_codes[] = {0, 200, 201, 202, 400, 401, 403, 404, 413, 429, 500, 503};

void head(std::string& body, std::string_view name, std::string_view help, std::string_view type) {
    fmt::format_to(std::back_inserter(body),
                   "# HELP fanfare_sim_{0} {1}\n# TYPE fanfare_sim_{0} {2}\n", name, help, type);
}

void show_requests(const SimulatorState& simulator, std::string& body) {
    head(body, "requests_total", "Requests by provider and status; 0: no answer", "counter");
    for (ProviderIndex i = 0; i < simulator.provider_count(); ++i) {
        std::map<int, std::uint64_t> codes;
        for (const auto code : usual_codes) codes[code] = 0;
        for (const auto& [code, count] : simulator.oracle.provider(i).codes) codes[code] = count;
        for (const auto& [code, count] : codes) {
            fmt::format_to(std::back_inserter(body),
                           "fanfare_sim_requests_total{{provider=\"{}\",code=\"{}\"}} {}\n",
                           simulator.providers[i]->name(), code, count);
        }
    }
}

}  // namespace

void show_metrics(SimulatorState& simulator, const Request&, Answer& answer) {
    const std::lock_guard lock{simulator.mutex};
    answer.type = "text/plain; version=0.0.4";
    show_requests(simulator, answer.body);
    for (const auto& count : counts) {
        if (count.name == "requests") continue;  // Above, by code.
        const bool gauge = count.name == "largest_batch";
        const auto name = fmt::format("{}{}", count.name, gauge ? "" : "_total");
        head(answer.body, name, count.help, gauge ? "gauge" : "counter");
        for (ProviderIndex i = 0; i < simulator.provider_count(); ++i) {
            fmt::format_to(
                std::back_inserter(answer.body), "fanfare_sim_{}{{provider=\"{}\"}} {}\n", name,
                simulator.providers[i]->name(), simulator.oracle.provider(i).tally.*count.member);
        }
    }
    head(answer.body, "book_bytes", "Memory that the book of what was accepted takes", "gauge");
    fmt::format_to(std::back_inserter(answer.body), "fanfare_sim_book_bytes {}\n",
                   simulator.oracle.accepted().bytes());
}

}  // namespace fanfare::sim
