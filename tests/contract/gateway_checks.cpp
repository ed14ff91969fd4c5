#include "tests/contract/accounts.hpp"
#include "tests/contract/provider_checks.hpp"

#include <array>

namespace fanfare::testing {
namespace {

/// What proxies, load balancers, API gateways and firewalls write, and no provider does.
constexpr std::array<std::string_view, 16> pages{
    "",
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body></html>",
    "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\"><p>The proxy server received an invalid",
    "upstream connect error or disconnect/reset before headers. reset reason: connection timeout",
    "no healthy upstream",
    "error code: 502",
    "stream timeout",
    "{}",
    "null",
    "[]",
    R"({"message":"Endpoint request timed out"})",
    R"({"message":"Internal server error"})",
    R"({"message":"An invalid response was received from the upstream server"})",
    R"({"error":"Bad Gateway"})",
    R"({"type":"https://tools.ietf.org/html/rfc7231#section-6.6.1","title":"An error occurred"})",
    R"({"errors":[],"reason":"connection refused by the origin","code":"502","status":502})"};

struct Row {
    int status;
    Verdict verdict;
};
/// What a page that is not the provider's means; every 5xx is doubt.
constexpr std::array<Row, 28> rows{{
    {400, Verdict::transient}, {401, Verdict::config},    {402, Verdict::config},
    {403, Verdict::config},    {404, Verdict::config},    {405, Verdict::config},
    {406, Verdict::config},    {407, Verdict::config},    {408, Verdict::ambiguous},
    {410, Verdict::config},    {411, Verdict::transient}, {413, Verdict::perm_req},
    {414, Verdict::perm_req},  {421, Verdict::transient}, {425, Verdict::transient},
    {429, Verdict::throttle},  {431, Verdict::perm_req},  {444, Verdict::ambiguous},
    {451, Verdict::config},    {460, Verdict::ambiguous}, {499, Verdict::ambiguous},
    {301, Verdict::config},    {302, Verdict::config},    {303, Verdict::ambiguous},
    {307, Verdict::config},    {200, Verdict::ambiguous}, {204, Verdict::ambiguous},
    {0, Verdict::ambiguous},
}};

class Expectation {
public:
    Expectation(const ProviderCase& its, const Provider& provider)
        : its_{its}, provider_{provider} {}

    void expect(int status, std::string_view body, Verdict verdict) {
        HttpAnswer answer;
        answer.transport = Transport::answered;
        answer.status = status;
        answer.body = body;
        const auto count = std::min<std::size_t>(provider_.batch_max(), 2);
        const auto read = provider_.read(answer, count, test_now);
        if (read.verdict != verdict) {
            complaints_.push_back(its_.name + " " + std::to_string(status) + " is " +
                                  std::string{to_string(read.verdict)} + ", not " +
                                  std::string{to_string(verdict)} + ": " + std::string{body});
        }
        // A doubt that bears another reason would not keep its chunk with the account.
        const bool bound =
            read.reason == Reason::answer_lost || read.reason == Reason::answer_unreadable;
        if (read.verdict == Verdict::ambiguous && !bound) {
            complaints_.push_back("a doubt without a reason of doubt: " + read.detail);
        }
        if (read.split && status != 413) complaints_.push_back("halved without a cause");
    }

    [[nodiscard]] Complaints take() { return std::move(complaints_); }

private:
    const ProviderCase& its_;
    const Provider& provider_;
    Complaints complaints_;
};

}  // namespace

Complaints check_gateways(const ProviderCase& its, const Provider& provider) {
    if (its.own_error.empty()) return {};
    Expectation reading{its, provider};
    const auto own = its.perhaps_taken ? Verdict::ambiguous : Verdict::transient;
    for (int status = 500; status <= 599; ++status) {
        for (const auto page : pages) reading.expect(status, page, Verdict::ambiguous);
        reading.expect(status, its.own_error, own);
        // Half of it is nobody's.
        const auto half = std::string_view{its.own_error}.substr(0, its.own_error.size() / 2);
        reading.expect(status, half, Verdict::ambiguous);
    }
    for (const auto& row : rows) {
        for (const auto page : pages) {
            // Mailgun's own form has nothing but a sentence: for a 4xx it may be Mailgun's.
            if (its.name == "mailgun" && page.starts_with(R"({"message")")) continue;
            reading.expect(row.status, page, row.verdict);
        }
    }
    return reading.take();
}

}  // namespace fanfare::testing
