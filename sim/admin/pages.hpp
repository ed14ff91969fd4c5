#pragma once

#include "sim/http/message.hpp"
#include "sim/simulator_state.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::sim {

/// The index of a provider by name; nothing when there is none.
[[nodiscard]] std::optional<ProviderIndex> provider_index(const SimulatorState& simulator,
                                                          std::string_view name);

/// A kept request as it came, as views into it and `fields`.
[[nodiscard]] Request to_request(const Call& call, std::vector<Field>& fields);

/// Answers 400 with {"error": problem}.
void answer_problem(Answer& answer, int status, std::string_view problem);

/// Changes faults and webhook settings as POST /control does, all or nothing. Returns "" or what
/// is wrong. The caller holds the simulator state's lock.
[[nodiscard]] std::string change_settings(SimulatorState& simulator,
                                          const boost::json::object& given);

// One function a page. Each takes the simulator state's lock itself.
void show_metrics(SimulatorState& simulator, const Request& request, Answer& answer);
void show_control(SimulatorState& simulator, const Request& request, Answer& answer);
void change_control(SimulatorState& simulator, const Request& request, Answer& answer);
void hold(SimulatorState& simulator, const Request& request, Answer& answer);
void release(SimulatorState& simulator, const Request& request, Answer& answer);
void show_summary(SimulatorState& simulator, const Request& request, Answer& answer);
void show_jobs(SimulatorState& simulator, const Request& request, Answer& answer);
void show_accepted(SimulatorState& simulator, const Request& request, Answer& answer);
void show_messages(SimulatorState& simulator, const Request& request, Answer& answer);
void show_calls(SimulatorState& simulator, const Request& request, Answer& answer);
void show_log(SimulatorState& simulator, const Request& request, Answer& answer);
void show_events(SimulatorState& simulator, const Request& request, Answer& answer);
void show_webhooks(SimulatorState& simulator, const Request& request, Answer& answer);
void show_webhook_keys(SimulatorState& simulator, const Request& request, Answer& answer);
void reset(SimulatorState& simulator, const Request& request, Answer& answer);

}  // namespace fanfare::sim
