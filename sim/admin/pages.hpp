#pragma once

#include "sim/http/message.hpp"
#include "sim/world.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace fanfare::sim {

/// The index of a provider by name; nothing when there is none.
[[nodiscard]] std::optional<ProviderIndex> provider_index(const World& world,
                                                          std::string_view name);

/// Answers 400 with {"error": problem}.
void answer_problem(Answer& answer, int status, std::string_view problem);

/// Changes faults and webhook settings as POST /control does, all or nothing. Returns "" or what
/// is wrong. The caller holds the world's lock.
[[nodiscard]] std::string change_settings(World& world, const boost::json::object& given);

// One function a page. Each takes the world's lock itself.
void show_metrics(World& world, const Request& request, Answer& answer);
void show_control(World& world, const Request& request, Answer& answer);
void change_control(World& world, const Request& request, Answer& answer);
void hold(World& world, const Request& request, Answer& answer);
void release(World& world, const Request& request, Answer& answer);
void show_summary(World& world, const Request& request, Answer& answer);
void show_jobs(World& world, const Request& request, Answer& answer);
void show_accepted(World& world, const Request& request, Answer& answer);
void show_messages(World& world, const Request& request, Answer& answer);
void show_calls(World& world, const Request& request, Answer& answer);
void show_events(World& world, const Request& request, Answer& answer);
void show_webhooks(World& world, const Request& request, Answer& answer);
void show_webhook_keys(World& world, const Request& request, Answer& answer);
void reset(World& world, const Request& request, Answer& answer);

}  // namespace fanfare::sim
