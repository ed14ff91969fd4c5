#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/vocabulary.hpp"
#include "core/systems/system.hpp"

#include <chrono>
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
    static constexpr std::size_t key_bytes_max = 200;
    static constexpr std::size_t id_bytes_max = 200;  // One recipient id, or the subject.

    std::string id;               // uuid; derived from the idempotency key where absent.
    std::string idempotency_key;  // [1, 200] bytes.
    std::string system;           // "shows"
    std::string kind;             // "show.reminder"
    std::string subject;          // What it is about: the show's id. "": nothing in particular.
    std::string audience;         // A name of the system ...
    std::map<std::string, std::string> params;  // ... with its parameters;
    std::vector<std::string> recipients;        // or the explicit list: sorted, distinct.
    std::vector<Channel> channels;              // Distinct, in the order of the enum.
    Lane lane = Lane::normal;
    bool lane_from_kind = false;              // No lane was given: resolve_job() takes the kind's.
    std::map<std::string, std::string> data;  // Variables of the templates; scalars as text.
    std::optional<TimePoint> expires_at;
    // From acceptance on, [1, 31'536'000]; settle_expiry() turns it into expires_at.
    std::optional<std::chrono::seconds> ttl;
    std::string source;  // Who published: "scheduler", "cli", a backend's name.

    friend bool operator==(const Job&, const Job&) = default;
};

/// Why bytes are not a job: a code for headers and metrics, and a sentence for a person.
struct Rejection {
    std::string code;     // "not_json", "unknown_audience", ... [a-z_]
    std::string message;  // What, where (JSON pointer), and how to mend it: for whoever sent it.
    /// Where, as a log may tell it: names of fields that we know, "*" for those that strangers
    /// chose.
    std::string place{};
    std::string sentence{};  // The message without the pointer before it.
};

/// "unknown_field at /data/*": all that a log says of a rejection.
[[nodiscard]] std::string for_log(const Rejection& rejection);

/// The whole of it for whoever typed the job: names in the pointer that look like no field's, an
/// address say, are "*", because what a terminal shows is often kept.
[[nodiscard]] std::string for_terminal(const Rejection& rejection);

/// Every code a Rejection can have, with its meaning. Codes never change.
struct RejectionDoc {
    std::string_view code;
    std::string_view meaning;
};
[[nodiscard]] const std::vector<RejectionDoc>& rejection_docs();

/// Decodes and checks everything that can be told without the systems.
[[nodiscard]] std::variant<Job, Rejection> decode_job(std::string_view bytes);

/// Fills defaults from the kind and refuses what the systems do not know: system, kind,
/// audience, missing or surplus parameters, channel without contact query.
[[nodiscard]] std::optional<Rejection> resolve_job(Job& job, const Systems& systems);

/// Turns `ttl` into `expires_at`. `accepted_at` is the moment the broker or the API took
/// the job, never the moment it is read: read again, it must not live longer.
void settle_expiry(Job& job, TimePoint accepted_at);

/// The canonical JSON of a job: decode_job(encode_job(j)) equals j.
[[nodiscard]] std::string encode_job(const Job& job);

/// SHA-256 of what a job asks for, as it came: whoever asks, and under which key, is no part of it.
[[nodiscard]] std::string digest_of_order(Job asked);

/// A key among those of its kind ("api"), of one source: no two of them are the same. At most 200
/// bytes. Keys of sources without "/" are what they always were: ids rest on them.
[[nodiscard]] std::string key_of_source(std::string_view kind, std::string_view source,
                                        std::string_view key);

/// uuid version 5 in a namespace of our own: the same name gives the same id for ever.
[[nodiscard]] std::string derived_id(std::string_view name);

}  // namespace fanfare
