#pragma once

#include "core/wire/job.hpp"
#include "core/wire/job_json.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace fanfare {

/// Names and values beside a message: of a Kafka record, or of an HTTP request.
using EventHeaders = std::span<const std::pair<std::string, std::string>>;

/// Types of events that order a job, the usual one first.
inline constexpr std::array<std::string_view, 2> job_event_types{"fanfare.job.v1",
                                                                 "io.fanfare.job"};

/// True when the message says that it is a CloudEvent: structured ("content-type:
/// application/cloudevents+json"), a batch, or binary ("ce_specversion", over HTTP
/// "ce-specversion"). Names count in any case.
[[nodiscard]] bool is_cloud_event(EventHeaders headers);

/// True for the name of a header that says what is_cloud_event() asks, or is an attribute of the
/// event: without these its bytes are none. In any case.
[[nodiscard]] bool is_event_header(std::string_view name);

/// A CloudEvent 1.0 of one of the job_event_types.
struct CloudEvent {
    JsonValue data;   // What read_job() is to read; anything yet.
    std::string key;  // [3, 200] bytes of its source and id: the same for every try of the event.
    std::string trace{};  // That it came about in, as encode_trace() has it: the attributes
                          // traceparent and tracestate. No part of the order.
};
/// No batches. Pure.
[[nodiscard]] std::variant<CloudEvent, Rejection> read_event(EventHeaders headers,
                                                             std::string_view bytes);

/// The job of an event: its data, as decode_job() reads it. Source and id of the event are its
/// idempotency key unless it has an id or a key of its own. `trace`, where it is asked for, becomes
/// the event's. Pure.
[[nodiscard]] std::variant<Job, Rejection> decode_event(EventHeaders headers,
                                                        std::string_view bytes,
                                                        std::string* trace = nullptr);

/// The job of a Kafka record: of a CloudEvent, or plain. Pure.
[[nodiscard]] std::variant<Job, Rejection> decode_record(EventHeaders headers,
                                                         std::string_view bytes,
                                                         std::string* trace = nullptr);

}  // namespace fanfare
