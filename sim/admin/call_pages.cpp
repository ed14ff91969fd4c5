#include "sim/admin/pages.hpp"
#include "sim/http/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

constexpr std::size_t shown_max = 1'000;

std::size_t limit_of(const Request& request) {
    const auto text = query_parameter(request.query, "limit");
    std::size_t limit = 50;
    std::from_chars(text.data(), text.data() + text.size(), limit);
    return std::min(limit, shown_max);
}

Request request_of(const Call& call, std::vector<Field>& fields) {
    for (const auto& [name, value] : call.headers) fields.push_back({name, value});
    return {.method = call.method,
            .path = call.path,
            .query = call.query,
            .headers = fields,
            .body = call.body};
}

// JSON is text: bytes that are not UTF-8 (attachments) are replaced.
std::string as_text(const std::string& bytes) {
    if (is_valid_utf8(bytes)) return bytes;
    std::string text = bytes;
    for (auto& c : text) {
        if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
    return text;
}

bool accepted(const Call& call) {
    return call.fate == "accept" || call.fate == "lose_after" || call.fate == "blackhole" ||
           call.fate == "malformed" || call.fate == "error_after";
}

}  // namespace

void show_calls(World& world, const Request& request, Answer& answer) {
    const std::lock_guard lock{world.mutex};
    if (!world.recorder.on()) return answer_problem(answer, 409, "start with --keep-messages N");
    json::array shown;
    const auto limit = limit_of(request);
    const auto& calls = world.recorder.calls();
    for (auto call = calls.rbegin(); call != calls.rend() && shown.size() < limit; ++call) {
        json::object headers;
        for (const auto& [name, value] : call->headers) headers[name] = as_text(value);
        shown.push_back(json::object{{"number", call->number},
                                     {"provider", world.providers[call->provider]->name()},
                                     {"fate", call->fate},
                                     {"status", call->status},
                                     {"method", call->method},
                                     {"path", call->path},
                                     {"query", call->query},
                                     {"headers", std::move(headers)},
                                     {"body", as_text(call->body)}});
    }
    answer.body = json::serialize(shown);
}

void show_messages(World& world, const Request& request, Answer& answer) {
    const auto address = query_parameter(request.query, "address");
    const auto job = query_parameter(request.query, "job");
    const std::lock_guard lock{world.mutex};
    if (!world.recorder.on()) return answer_problem(answer, 409, "start with --keep-messages N");
    if (address.empty()) return answer_problem(answer, 400, "address is missing");
    json::array shown;
    const auto limit = limit_of(request);
    const auto& calls = world.recorder.calls();
    for (auto call = calls.rbegin(); call != calls.rend() && shown.size() < limit; ++call) {
        if (!accepted(*call) || call->body.find(job) == std::string::npos) continue;
        std::vector<Field> fields;
        auto message = world.providers[call->provider]->render(request_of(*call, fields), address);
        if (!message) continue;
        (*message)["provider"] = world.providers[call->provider]->name();
        (*message)["number"] = call->number;
        (*message)["fate"] = call->fate;
        shown.push_back(std::move(*message));
    }
    answer.body = json::serialize(shown);
}

}  // namespace fanfare::sim
