#include "tests/contract/accounts.hpp"
#include "tests/contract/provider_checks.hpp"

#include <algorithm>
#include <random>

namespace fanfare::testing {
namespace {

using namespace std::string_literals;

BatchAnswer read(const Provider& provider, Transport transport, int status, std::string body,
                 std::string message_id = {}) {
    HttpAnswer answer;
    answer.transport = transport;
    answer.status = status;
    answer.body = std::move(body);
    answer.message_id = std::move(message_id);
    return provider.read(answer, std::min<std::size_t>(provider.batch_max(), 2), test_now);
}

}  // namespace

Complaints check_reading(const ProviderCase& its, const Provider& provider) {
    Complaints out;
    constexpr std::string_view leak = "victim@example.com";
    std::mt19937 random{20260101};  // NOLINT: the same cases in every run.
    const auto under = [&random](std::size_t bound) { return random() % bound; };
    const auto good = read(provider, Transport::answered, its.success_status, its.success_body,
                           its.success_message_id);
    if (good.verdict != Verdict::ok || good.provider_id.empty()) out.push_back("success unread");

    for (int round = 0; round < 6000; ++round) {
        std::string body;
        switch (under(4)) {
            case 0:
                for (auto left = under(200); left > 0; --left) {
                    body.push_back(static_cast<char>(under(256)));
                }
                break;
            case 1:
                body = its.success_body.substr(0, under(its.success_body.size() + 1));
                break;
            case 2:
                body = its.success_body;
                if (!body.empty()) body[under(body.size())] = static_cast<char>(under(256));
                break;
            default:
                body = "{\"message\":\"" + std::string{leak} +
                       " is bad\",\"code\":" + std::to_string(20000 + under(20000)) +
                       ",\"error\":{\"status\":\"" + std::string{leak} + "\",\"message\":\"" +
                       std::string{leak} + "\"}}";
        }
        const int status =
            under(8) == 0 ? static_cast<int>(random()) : static_cast<int>(under(700));
        const auto answer = read(provider, Transport::answered, status, body);
        const bool success = status >= 200 && status <= 299;
        if (answer.verdict == Verdict::ok && (!success || answer.provider_id.empty())) {
            out.push_back("ok for status " + std::to_string(status));
        }
        if (success && answer.verdict != Verdict::ok && answer.verdict != Verdict::ambiguous) {
            out.push_back("success taken for a failure");
        }
        if (answer.verdict != Verdict::ok && answer.reason == Reason::none) {
            out.push_back("no reason for status " + std::to_string(status));
        }
        if (answer.detail.find(leak) != std::string::npos) out.push_back("detail leaks");
        if (answer.retry_after.count() < 0 || answer.retry_after > std::chrono::hours{1}) {
            out.push_back("wait out of bounds");
        }
    }
    for (const auto& body : {""s, its.success_body}) {
        if (read(provider, Transport::not_sent, 200, body).verdict != Verdict::transient ||
            read(provider, Transport::in_doubt, 200, body).verdict != Verdict::ambiguous) {
            out.push_back("transport faults misread");
        }
    }
    return out;
}

}  // namespace fanfare::testing
