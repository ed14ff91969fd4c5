#include "core/wire/job.hpp"
#include "core/wire/timestamp.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace fanfare {
namespace {

namespace json = boost::json;

json::object written(const std::map<std::string, std::string>& texts) {
    json::object object;
    for (const auto& [name, text] : texts) object[name] = text;
    return object;
}

json::object audience_to_json(const Job& job) {
    json::object audience;
    if (!job.recipients.empty()) {
        audience["recipients"] = json::array(job.recipients.begin(), job.recipients.end());
        return audience;
    }
    if (!job.audience.empty()) audience["name"] = job.audience;
    if (!job.params.empty()) audience["params"] = written(job.params);
    return audience;
}

}  // namespace

std::string encode_job(const Job& job) {
    json::object message;
    message["version"] = Job::version;
    message["id"] = job.id;
    message["idempotency_key"] = job.idempotency_key;
    message["system"] = job.system;
    message["kind"] = job.kind;
    if (!job.subject.empty()) message["subject"] = job.subject;
    if (auto audience = audience_to_json(job); !audience.empty()) {
        message["audience"] = std::move(audience);
    }
    if (!job.channels.empty()) {
        json::array words;
        for (const auto channel : job.channels) {
            const auto word = to_string(channel);
            words.emplace_back(json::string_view{word.data(), word.size()});
        }
        message["channels"] = std::move(words);
    }
    if (!job.lane_from_kind) {
        const auto word = to_string(job.lane);
        message["lane"] = json::string_view{word.data(), word.size()};
    }
    if (!job.data.empty()) message["data"] = written(job.data);
    if (job.expires_at) message["expires_at"] = format_timestamp(*job.expires_at);
    if (job.ttl) message["ttl_s"] = job.ttl->count();
    if (!job.source.empty()) message["source"] = job.source;
    return json::serialize(message);
}

}  // namespace fanfare
