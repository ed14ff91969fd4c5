#include "sim/admin/pages.hpp"
#include "sim/http/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

constexpr std::size_t shown_max = 1'000;

std::size_t read_limit(const Request& request) {
    const auto text = query_parameter(request.query, "limit");
    std::size_t limit = 50;
    std::from_chars(text.data(), text.data() + text.size(), limit);
    return std::min(limit, shown_max);
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
    return call.treatment == "accept" || call.treatment == "lose_after" ||
           call.treatment == "blackhole" || call.treatment == "malformed" ||
           call.treatment == "error_after";
}

}  // namespace

Request to_request(const Call& call, std::vector<Field>& fields) {
    for (const auto& [name, value] : call.headers) fields.push_back({name, value});
    return {.method = call.method,
            .path = call.path,
            .query = call.query,
            .headers = fields,
            .body = call.body};
}

void show_calls(SimulatorState& simulator, const Request& request, Answer& answer) {
    const std::lock_guard lock{simulator.mutex};
    if (!simulator.recorder.on())
        return answer_problem(answer, 409, "start with --keep-messages N");
    json::array shown;
    const auto limit = read_limit(request);
    const auto& calls = simulator.recorder.calls();
    for (auto call = calls.rbegin(); call != calls.rend() && shown.size() < limit; ++call) {
        json::object headers;
        for (const auto& [name, value] : call->headers) headers[name] = as_text(value);
        shown.push_back(json::object{{"number", call->number},
                                     {"provider", simulator.providers[call->provider]->name()},
                                     {"fate", call->treatment},
                                     {"status", call->status},
                                     {"method", call->method},
                                     {"path", call->path},
                                     {"query", call->query},
                                     {"headers", std::move(headers)},
                                     {"body", as_text(call->body)}});
    }
    answer.body = json::serialize(shown);
}

void show_messages(SimulatorState& simulator, const Request& request, Answer& answer) {
    const auto address = query_parameter(request.query, "address");
    const auto job = query_parameter(request.query, "job");
    const std::lock_guard lock{simulator.mutex};
    if (!simulator.recorder.on())
        return answer_problem(answer, 409, "start with --keep-messages N");
    if (address.empty()) return answer_problem(answer, 400, "address is missing");
    json::array shown;
    const auto limit = read_limit(request);
    const auto& calls = simulator.recorder.calls();
    for (auto call = calls.rbegin(); call != calls.rend() && shown.size() < limit; ++call) {
        if (!accepted(*call) || call->body.find(job) == std::string::npos) continue;
        std::vector<Field> fields;
        auto message =
            simulator.providers[call->provider]->render(to_request(*call, fields), address);
        if (!message) continue;
        (*message)["provider"] = simulator.providers[call->provider]->name();
        (*message)["number"] = call->number;
        (*message)["fate"] = call->treatment;
        shown.push_back(std::move(*message));
    }
    answer.body = json::serialize(shown);
}

}  // namespace fanfare::sim
