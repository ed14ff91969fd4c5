#include "core/domain/uuid.hpp"
#include "core/settings/text_rules.hpp"
#include "core/wire/job.hpp"
#include "core/wire/job_json.hpp"
#include "core/wire/job_rejection.hpp"
#include "core/wire/timestamp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fanfare {
namespace {

constexpr std::int64_t ttl_max_s = 31'536'000;  // One year.
constexpr std::size_t source_bytes_max = 100;

/// Reads the fields of one job. The first rejection stands; what follows is not looked at.
class JobReader {
public:
    std::variant<Job, Rejection> read(const JsonValue& root) {
        if (!root.is_object()) {
            refuse("wrong_type", "", fmt::format("is {}; send one object", to_string(root.shape)));
        }
        for (std::size_t i = 0; !rejection_ && i < root.keys.size(); ++i) {
            read_field(root.keys[i], root.items[i]);
        }
        if (!rejection_) check_together(root);
        if (rejection_) return *rejection_;
        return job_;
    }

private:
    using Value = const JsonValue&;
    struct Field {
        std::string_view name;
        void (JobReader::*read)(Value, const std::string& at);
    };
    static const std::array<Field, 13> fields;

    void read_field(const std::string& name, Value value) {
        const auto at = point_to("", name);
        for (const auto& field : fields) {
            if (field.name == name) return (this->*field.read)(value, at);
        }
        refuse("unknown_field", at, "is no field of a job; remove it or mend its name");
    }

    void refuse(std::string_view code, std::string_view at, std::string_view sentence) {
        if (!rejection_) rejection_ = reject(code, at, sentence);
    }

    bool expect(JsonValue::Shape shape, Value value, const std::string& at) {
        if (value.shape == shape) return true;
        refuse("wrong_type", at,
               fmt::format("is {}; send {}", to_string(value.shape), to_string(shape)));
        return false;
    }
    bool expect_string(Value value, const std::string& at) {
        return expect(JsonValue::Shape::string, value, at);
    }

    void read_text(Value value, const std::string& at, const TextRule& rule, std::string& field) {
        if (!expect_string(value, at)) return;
        if (!rule.accepts(value.text)) {
            return refuse("invalid_value", at, fmt::format("is not valid; send {}", rule.bounds));
        }
        field = value.text;
    }

    void read_version(Value value, const std::string& at) {
        if (!expect(JsonValue::Shape::number, value, at)) return;
        if (parse_real(value.text) != static_cast<double>(Job::version)) {
            refuse("unsupported_version", at, "is not supported; send 1 or leave it out");
        }
    }

    void read_id(Value value, const std::string& at) {
        if (!expect_string(value, at)) return;
        auto id = parse_uuid(value.text);
        if (!id) return refuse("invalid_id", at, "is no uuid; send 36 characters or leave it out");
        job_.id = std::move(*id);
    }

    void read_key(Value value, const std::string& at) {
        read_text(value, at, plain_text(1, Job::key_bytes_max), job_.idempotency_key);
    }
    void read_system(Value value, const std::string& at) {
        read_text(value, at, name_pattern(40, "-_"), job_.system);
    }
    void read_kind(Value value, const std::string& at) {
        read_text(value, at, name_pattern(100, ".-_"), job_.kind);
    }
    void read_subject(Value value, const std::string& at) {
        read_text(value, at, plain_text(0, Job::id_bytes_max), job_.subject);
    }
    void read_source(Value value, const std::string& at) {
        read_text(value, at, plain_text(0, source_bytes_max), job_.source);
    }

    void read_audience(Value value, const std::string& at) {
        if (!expect(JsonValue::Shape::object, value, at)) return;
        bool is_list = false;
        for (std::size_t i = 0; !rejection_ && i < value.keys.size(); ++i) {
            const auto& name = value.keys[i];
            const auto place = point_to(at, name);
            if (name == "name") {
                read_text(value.items[i], place, name_pattern(100, "-_"), job_.audience);
            } else if (name == "params") {
                read_scalars(value.items[i], place, job_.params);
            } else if (name == "recipients") {
                is_list = true;
                read_recipients(value.items[i], place);
            } else {
                refuse("unknown_field", place, "is no field of an audience; remove it");
            }
        }
        if (is_list && value.keys.size() > 1) {
            refuse("ambiguous_audience", at,
                   "has recipients and something else; send either recipients, or name and params");
        }
    }

    void read_recipients(Value value, const std::string& at) {
        if (!expect(JsonValue::Shape::array, value, at)) return;
        if (value.items.empty()) {
            return refuse("no_recipients", at, "is empty; send at least one id, or no job");
        }
        if (value.items.size() > Job::recipients_max) {
            return refuse("too_many_recipients", at,
                          fmt::format("has {} entries of at most {}; send several jobs, or name "
                                      "an audience",
                                      value.items.size(), Job::recipients_max));
        }
        const auto rule = plain_text(1, Job::id_bytes_max);
        for (std::size_t i = 0; i < value.items.size(); ++i) {
            const auto& item = value.items[i];
            const bool sound = item.is_string() && rule.accepts(item.text);
            if (sound) continue;
            const auto place = point_to(at, std::to_string(i));
            if (!expect_string(item, place)) return;
            return refuse("invalid_recipient", place,
                          fmt::format("is not valid; send {}", rule.bounds));
        }
        auto& recipients = job_.recipients;
        for (const auto& item : value.items) recipients.push_back(item.text);
        // By bytes, whatever the locale: chunks and searches rest on this order.
        std::sort(recipients.begin(), recipients.end());
        recipients.erase(std::unique(recipients.begin(), recipients.end()), recipients.end());
    }

    void read_scalars(Value value, const std::string& at,
                      std::map<std::string, std::string>& field) {
        if (!expect(JsonValue::Shape::object, value, at)) return;
        for (std::size_t i = 0; i < value.keys.size(); ++i) {
            const auto& name = value.keys[i];
            const auto& item = value.items[i];
            const auto place = point_to(at, name);
            if (!is_variable_name(name)) {
                return refuse("invalid_value", place,
                              "is no variable's name; use letters, digits and _, at most 100");
            }
            if (item.is_array() || item.is_object()) {
                return refuse("nested_value", place,
                              fmt::format("is {}; send a string, a number or a boolean",
                                          to_string(item.shape)));
            }
            if (!item.is_scalar()) {
                return refuse("wrong_type", place, "is null; leave it out instead");
            }
            field[name] = item.text;
        }
    }

    void read_channels(Value value, const std::string& at) {
        if (!expect(JsonValue::Shape::array, value, at)) return;
        if (value.items.empty()) {
            return refuse("no_channels", at, "is empty; name a channel or leave the field out");
        }
        for (std::size_t i = 0; i < value.items.size(); ++i) {
            const auto place = point_to(at, std::to_string(i));
            if (!expect_string(value.items[i], place)) return;
            const auto channel = parse_channel(value.items[i].text);
            if (!channel) {
                return refuse("unknown_channel", place, "is unknown; send email, sms or push");
            }
            job_.channels.push_back(*channel);
        }
        auto& list = job_.channels;
        std::sort(list.begin(), list.end());
        list.erase(std::unique(list.begin(), list.end()), list.end());
    }

    void read_lane(Value value, const std::string& at) {
        if (!expect_string(value, at)) return;
        const auto lane = parse_lane(value.text);
        if (!lane) return refuse("unknown_lane", at, "is unknown; send urgent, normal or bulk");
        job_.lane = *lane;
        job_.lane_from_kind = false;
    }

    void read_data(Value value, const std::string& at) { read_scalars(value, at, job_.data); }

    void read_expires_at(Value value, const std::string& at) {
        if (!expect_string(value, at)) return;
        job_.expires_at = parse_timestamp(value.text);
        if (!job_.expires_at) {
            refuse("invalid_timestamp", at,
                   "is no moment; send ISO 8601 with a zone, such as 2026-11-20T19:30:00Z");
        } else if (job_.expires_at->time_since_epoch().count() < 0) {
            refuse("negative_expiry", at, "lies before 1970; send a moment to come");
        }
    }

    void read_ttl(Value value, const std::string& at) {
        if (!expect(JsonValue::Shape::number, value, at)) return;
        if (parse_real(value.text).value_or(0) < 0) {
            return refuse("negative_expiry", at, "is negative; send the seconds that remain");
        }
        const auto seconds = parse_json_whole(value.text);
        if (!seconds || *seconds < 1 || *seconds > ttl_max_s) {
            return refuse("invalid_value", at,
                          fmt::format("is not a whole number from 1 to {}", ttl_max_s));
        }
        job_.ttl = std::chrono::seconds{*seconds};
    }

    void check_together(Value root) {
        const auto has = [&](std::string_view name) {
            return std::find(root.keys.begin(), root.keys.end(), name) != root.keys.end();
        };
        for (const auto* const required : {"system", "kind"}) {
            if (!has(required)) {
                return refuse("missing_field", point_to("", required), "is missing; send it");
            }
        }
        if (!has("id") && !has("idempotency_key")) {
            return refuse("missing_key", "",
                          "has neither id nor idempotency_key; send an idempotency_key, the same "
                          "for every try of the same notification, so that no try sends twice");
        }
        if (has("expires_at") && has("ttl_s")) {
            return refuse("ambiguous_expiry", "/ttl_s",
                          "stands beside expires_at; send one of them");
        }
        if (job_.idempotency_key.empty()) job_.idempotency_key = job_.id;
        if (job_.id.empty()) job_.id = derived_id(job_.idempotency_key);
    }

    static Job unlaned() {
        Job job;
        job.lane_from_kind = true;
        return job;
    }

    Job job_ = unlaned();
    std::optional<Rejection> rejection_;
};

const std::array<JobReader::Field, 13> JobReader::fields{{
    {"version", &JobReader::read_version},
    {"id", &JobReader::read_id},
    {"idempotency_key", &JobReader::read_key},
    {"system", &JobReader::read_system},
    {"kind", &JobReader::read_kind},
    {"subject", &JobReader::read_subject},
    {"audience", &JobReader::read_audience},
    {"channels", &JobReader::read_channels},
    {"lane", &JobReader::read_lane},
    {"data", &JobReader::read_data},
    {"expires_at", &JobReader::read_expires_at},
    {"ttl_s", &JobReader::read_ttl},
    {"source", &JobReader::read_source},
}};

}  // namespace

std::variant<Job, Rejection> decode_job(std::string_view bytes) {
    auto parsed = parse_json(bytes);
    if (auto* rejection = std::get_if<Rejection>(&parsed)) return std::move(*rejection);
    return read_job(std::get<JsonValue>(parsed));
}

std::variant<Job, Rejection> read_job(const JsonValue& value) { return JobReader{}.read(value); }

}  // namespace fanfare
