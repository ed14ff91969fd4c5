#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/words.hpp"
#include "core/systems/system.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fanfare {

/// One order to notify an audience: the Kafka message a backend may publish on
/// fanfare.jobs. docs/job.schema.json describes it.
struct Job {
    static constexpr int version = 1;
    static constexpr std::size_t bytes_max = 1'000'000;
    static constexpr std::size_t recipients_max = 10'000;
    static constexpr std::size_t id_bytes_max = 200;        // One recipient id.

    std::string id;                 // uuid; derived from the idempotency key where absent.
    std::string idempotency_key;    // [1, 200] bytes.
    std::string system;             // "shows"
    std::string kind;               // "show.reminder"
    std::string audience;           // A name of the system ...
    std::map<std::string, std::string> params;  // ... with its parameters;
    std::vector<std::string> recipients;        // or the explicit list: sorted, distinct.
    std::vector<Channel> channels;  // Distinct, in the order of the enum.
    Lane lane = Lane::normal;
    std::map<std::string, std::string> data;    // Variables of the templates; scalars as text.
    std::optional<TimePoint> expires_at;
    std::string source;             // Who published: "scheduler", "cli", a backend's name.
};

/// Why bytes are not a job: a code for headers and metrics, and a sentence for a person.
struct Rejection {
    std::string code;     // "not_json", "unknown_audience", ... [a-z_]
    std::string message;  // What, where (JSON pointer), and how to mend it. No personal data.
};

/// Decodes and checks everything that can be told without the systems.
[[nodiscard]] std::variant<Job, Rejection> decode_job(std::string_view bytes);

/// Fills defaults from the kind and refuses what the systems do not know: system, kind,
/// audience, missing or surplus parameters, channel without contact query.
[[nodiscard]] std::optional<Rejection> resolve_job(Job& job, const Systems& systems);

/// The canonical JSON of a job: decode_job(encode_job(j)) equals j.
[[nodiscard]] std::string encode_job(const Job& job);

/// uuid version 5 in a namespace of our own: the same name gives the same id for ever.
[[nodiscard]] std::string derived_id(std::string_view name);

}  // namespace fanfare
