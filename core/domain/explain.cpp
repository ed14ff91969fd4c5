#include "core/domain/explain.hpp"

#include <array>

namespace fanfare {
namespace {

constexpr std::array<std::string_view, outcome_count> what{
    "Not tried yet",
    "The provider took the message",
    "The message was delivered",
    "The message was delivered and opened",
    "The message was delivered, and a link in it was clicked",
    "The provider refused the message for good",
    "Nothing was sent: the address is suppressed",
    "Nothing was sent: the person does not want it",
    "Nothing was sent: there is no address",
    "Nothing was sent: it would have been too late",
    "Nothing was sent: the job was cancelled",
    "Not sent yet: a passing fault, it is tried again",
    "Not sent: every attempt failed",
    "Nobody can know whether it was sent",
    "A later job took the person over"};

constexpr std::array<std::string_view, reason_count> because{
    "",
    "the address is invalid or dead",
    "the provider cannot serve this recipient",
    "the provider refused the content or the parameters",
    "the provider account cannot be used",
    "the provider asked to slow down",
    "the provider could not be reached or had a fault",
    "the request was written, but its answer was lost",
    "the provider's answer could not be read",
    "the worker that sent it was lost",
    "the address is on the suppression list",
    "another person of the audience has the same address",
    "the person has unsubscribed or withdrawn consent",
    "the system knows no address for this channel",
    "the job's expiry had passed",
    "the job was cancelled before its turn came",
    "all attempts are used up",
    "the request never left",
    "the system no longer knows the person",
    "the content is too large for the provider",
    "the person was told of this kind as often as it allows",
    "it fell into the person's quiet hours",
    "the system's contact query fails at this person",
    "the system's contact query fails",
    "sending it took one worker after another down",
    "its kind or system is no longer configured"};

std::string_view to_words(Reason reason) noexcept {
    const auto code = static_cast<std::size_t>(reason);
    return code < because.size() ? because[code] : std::string_view{};
}

}  // namespace

std::string explain(Outcome outcome, Reason reason, Reason cause) {
    const auto code = static_cast<std::size_t>(outcome);
    std::string sentence{code < what.size() ? what[code] : "Unknown"};
    if (const auto first = to_words(reason); !first.empty()) {
        sentence.append("; ").append(first);
    }
    if (const auto second = to_words(cause); !second.empty()) {
        sentence.append(outcome == Outcome::unknown ? "; after that: " : "; at last: ")
            .append(second);
    }
    return sentence.append(".");
}

std::string_view explain_planned(bool is_in_it, bool is_complete) noexcept {
    if (is_in_it) return "The person is in the job's audience.";
    if (is_complete)
        return "The audience query did not yield this person when the job was planned.";
    return "The person is not in the audience as far as it is planned yet.";
}

}  // namespace fanfare
