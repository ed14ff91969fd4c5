// Any answer of any provider gives one verdict, and exceptions that name people of the request, in
// order. The first byte chooses the provider, the next ones status, step of a mail and headers.
#include "core/error/failure.hpp"
#include "tests/contract/accounts.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace fanfare;
    static const std::array providers{
        fanfare::testing::open(fanfare::testing::mailgun_account()),
        fanfare::testing::open(fanfare::testing::sendgrid_account()),
        fanfare::testing::open(fanfare::testing::ses_account()),
        fanfare::testing::open(fanfare::testing::smtp_account()),
        fanfare::testing::open(fanfare::testing::twilio_account()),
        fanfare::testing::open(fanfare::testing::vonage_account()),
        fanfare::testing::open(fanfare::testing::fcm_account()),
        fanfare::testing::open(fanfare::testing::apns_account()),
        fanfare::testing::open(fanfare::testing::vonage_messages_account())};
    constexpr int steps = static_cast<int>(MailStep::end_of_data) + 1;
    constexpr std::array statuses{200, 202, 400, 401, 403, 404, 410, 413, 429, 500,
                                  503, 250, 550, 0,   402, 422, 421, 432, 530, 552};
    if (size < 4) return 0;
    HttpAnswer answer;
    answer.transport = Transport::answered;
    answer.status = statuses[bytes[1] % statuses.size()];
    answer.step = static_cast<MailStep>(bytes[2] / 4 % steps);
    const std::string text{reinterpret_cast<const char*>(bytes + 4), size - 4};
    const auto line = text.find('\n');
    auto& header = bytes[2] % 4 == 0   ? answer.retry_after
                   : bytes[2] % 4 == 1 ? answer.rate_limit_reset
                   : bytes[2] % 4 == 2 ? answer.error_type
                                       : answer.message_id;
    header = text.substr(0, line);
    answer.body = line == std::string::npos ? text : text.substr(line + 1);
    const std::size_t count = 1 + bytes[3] % 5;
    const auto& provider = providers[bytes[0] % providers.size()];
    const auto read = provider->read(answer, count, fanfare::testing::test_now);
    ensure(read.retry_after >= std::chrono::milliseconds{0}, "nobody waits backwards");
    ensure(std::is_sorted(read.exceptions.begin(), read.exceptions.end(),
                          [](const auto& a, const auto& b) { return a.index < b.index; }),
           "exceptions are in order");
    for (const auto& exception : read.exceptions) {
        ensure(exception.index < count, "an exception is about somebody of the request");
    }
    static_cast<void>(provider->read_credential(answer));
    return 0;
}
