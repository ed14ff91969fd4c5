#include "core/providers/vonage/problem.hpp"
#include "core/providers/vonage/vonage.hpp"

#include <boost/json/monotonic_resource.hpp>

#include <array>

namespace fanfare::vonage {

BatchAnswer read_messages_answer(const HttpAnswer& answer, std::int64_t now_unix) {
    if (auto fault = transport_fault(type, answer)) return *std::move(fault);
    std::array<unsigned char, 4096> storage;
    boost::json::monotonic_resource memory{storage.data(), storage.size()};
    boost::json::value body(boost::json::storage_ptr{&memory});
    if (!parse_object(answer.body, body)) body = nullptr;
    if (is_success(answer.status)) {
        if (!body.is_object()) return unreadable(type, answer.status);
        const auto id = string_at(body.get_object(), "message_uuid");
        if (!is_storable_id(id)) return unreadable(type, answer.status);
        return accepted(std::string{id});
    }
    const auto problem = read_problem(body);
    auto result = classify_error(type, problem.document, answer, 1, now_unix);
    result.recipient_only = problem.is_of_recipient;
    if (problem.code) {
        result.detail.append(" (code ").append(std::to_string(*problem.code)).append(")");
    }
    return result;
}

}  // namespace fanfare::vonage
