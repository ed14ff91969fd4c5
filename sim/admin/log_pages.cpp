#include "sim/admin/pages.hpp"
#include "sim/http/text.hpp"

namespace fanfare::sim {

namespace json = boost::json;

namespace {

std::string text_of(const json::object& shown, std::string_view name) {
    const auto* const value = shown.if_contains(name);
    return value != nullptr && value->is_string() ? std::string{value->get_string()}
                                                  : std::string{};
}

const json::object& part_of(const json::object& shown, std::string_view name) {
    static const json::object none;
    const auto* const value = shown.if_contains(name);
    return value != nullptr && value->is_object() ? value->get_object() : none;
}

/// Where each provider's messages carry it.
std::string find_reference(const json::object& message) {
    const auto callback = text_of(message, "StatusCallback");
    const auto query = callback.find('?');
    const std::string found[] = {
        text_of(part_of(message, "variables"), "fanfare"),
        text_of(part_of(message, "tags"), "fanfare"),
        text_of(part_of(message, "data"), "fanfare"),
        text_of(message, "fanfare"),
        text_of(message, "reference"),
        text_of(part_of(message, "headers"), "message-id"),
        query == std::string::npos ? "" : query_parameter(callback.substr(query + 1), "ref"),
    };
    for (const auto& text : found) {
        if (!text.empty()) return text;
    }
    return {};
}

void append_field(std::string_view text, std::string& out) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
        out.append(text);
        return;
    }
    out.push_back('"');
    for (const char c : text) out.append(c == '"' ? 2 : 1, c);
    out.push_back('"');
}

/// A line for each message of a call. No address is in it.
void append_lines(const SimulatedProvider& provider, const Call& call, std::string_view job,
                  std::string& out) {
    std::vector<Field> fields;
    const auto request = to_request(call, fields);
    for (const auto& address : call.accepted) {
        const auto message = provider.render(request, address);
        const auto reference = message ? find_reference(*message) : std::string{};
        if (reference.find(job) == std::string::npos) continue;
        append_field(provider.name(), out);
        out.push_back(',');
        append_field(reference, out);
        out.push_back(',');
        append_field(text_of(part_of(*message, "variables"), "person"), out);
        out.push_back('\n');
    }
}

}  // namespace

void show_log(SimulatorState& simulator, const Request& request, Answer& answer) {
    const auto name = query_parameter(request.query, "provider");
    const auto wanted = provider_index(simulator, name);
    if (!name.empty() && !wanted) return answer_problem(answer, 400, "no such provider");
    const auto job = query_parameter(request.query, "job");
    const std::lock_guard lock{simulator.mutex};
    if (!simulator.recorder.on())
        return answer_problem(answer, 409, "start with --keep-messages N");
    answer.type = "text/csv; charset=utf-8";
    answer.body = "provider,reference,person\n";
    for (const auto& call : simulator.recorder.calls()) {
        if (wanted && *wanted != call.provider) continue;
        append_lines(*simulator.providers[call.provider], call, job, answer.body);
    }
}

}  // namespace fanfare::sim
