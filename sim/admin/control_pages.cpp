#include "sim/admin/pages.hpp"
#include "sim/http/text.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

// The providers a hold or release is about: ?provider=, or all.
std::optional<std::vector<ProviderIndex>> chosen(const SimulatorState& simulator,
                                                 const Request& request) {
    const auto name = query_parameter(request.query, "provider");
    std::vector<ProviderIndex> indexes;
    for (ProviderIndex i = 0; i < simulator.provider_count(); ++i) {
        if (name.empty() || simulator.providers[i]->name() == name) indexes.push_back(i);
    }
    if (indexes.empty()) return std::nullopt;
    return indexes;
}

// The settings of one provider.
struct Changed {
    Faults faults;
    WebhookSettings webhooks;
};

std::string change_one(Changed& changed, const json::object& change) {
    json::object faults, webhooks;
    for (const auto& [name, value] : change) {
        (WebhookSettings::knows(name) ? webhooks : faults)[name] = value;
    }
    auto problem = changed.faults.change(faults);
    if (problem.empty()) problem = changed.webhooks.change(webhooks);
    return problem;
}

json::object all_controls(SimulatorState& simulator) {
    json::object shown;
    for (std::size_t i = 0; i < simulator.controls.size(); ++i) {
        auto faults = simulator.controls[i].faults.show();
        faults["held"] = simulator.controls[i].held.load();
        simulator.webhook_queue.settings(static_cast<ProviderIndex>(i)).show(faults);
        faults["parked"] = simulator.controls[i].parked.size();
        shown[simulator.providers[i]->name()] = std::move(faults);
    }
    return shown;
}

}  // namespace

// {"mailgun": {...}, "*": {...}}, in the order written.
std::string change_settings(SimulatorState& simulator, const json::object& given) {
    std::vector<Changed> changed;
    for (ProviderIndex i = 0; i < simulator.provider_count(); ++i) {
        changed.push_back({simulator.controls[i].faults, simulator.webhook_queue.settings(i)});
    }
    for (const auto& [name, value] : given) {
        const auto* change = value.if_object();
        if (change == nullptr)
            return fmt::format("\"{}\" must be an object", std::string_view{name});
        const auto index = provider_index(simulator, name);
        if (!index && name != "*") return fmt::format("no provider \"{}\"", std::string_view{name});
        for (ProviderIndex i = 0; i < simulator.provider_count(); ++i) {
            if (index && *index != i) continue;
            if (auto problem = change_one(changed[i], *change); !problem.empty()) return problem;
        }
    }
    for (ProviderIndex i = 0; i < simulator.provider_count(); ++i) {
        simulator.set_faults(i, std::move(changed[i].faults));
        simulator.webhook_queue.set_settings(i, std::move(changed[i].webhooks));
    }
    return {};
}

std::optional<ProviderIndex> provider_index(const SimulatorState& simulator,
                                            std::string_view name) {
    for (ProviderIndex i = 0; i < simulator.provider_count(); ++i) {
        if (simulator.providers[i]->name() == name) return i;
    }
    return std::nullopt;
}

void show_control(SimulatorState& simulator, const Request&, Answer& answer) {
    const std::lock_guard lock{simulator.mutex};
    answer.body = json::serialize(all_controls(simulator));
}

void change_control(SimulatorState& simulator, const Request& request, Answer& answer) {
    boost::system::error_code error;
    const auto given = json::parse(request.body, error);
    if (error || !given.is_object()) return answer_problem(answer, 400, "not a JSON object");
    const std::lock_guard lock{simulator.mutex};
    const auto problem = change_settings(simulator, given.get_object());
    if (!problem.empty()) return answer_problem(answer, 400, problem);
    answer.body = json::serialize(all_controls(simulator));
}

void hold(SimulatorState& simulator, const Request& request, Answer& answer) {
    const auto indexes = chosen(simulator, request);
    if (!indexes) return answer_problem(answer, 400, "no such provider");
    const std::lock_guard lock{simulator.mutex};
    for (const auto index : *indexes) simulator.controls[index].held = true;
    answer.body = R"({"held":true})";
}

void release(SimulatorState& simulator, const Request& request, Answer& answer) {
    const auto indexes = chosen(simulator, request);
    if (!indexes) return answer_problem(answer, 400, "no such provider");
    std::vector<std::function<void()>> parked;
    {
        const std::lock_guard lock{simulator.mutex};
        for (const auto index : *indexes) {
            auto& control = simulator.controls[index];
            control.held = false;
            for (auto& resume : control.parked) parked.push_back(std::move(resume));
            control.parked.clear();
        }
    }
    for (const auto& resume : parked) resume();
    answer.body = json::serialize(json::object{{"released", parked.size()}});
}

void reset(SimulatorState& simulator, const Request&, Answer& answer) {
    const std::lock_guard lock{simulator.mutex};
    simulator.oracle.reset();
    simulator.recorder.reset();
    simulator.webhook_queue.reset();
    answer.body = R"({"reset":true})";
}

}  // namespace fanfare::sim
