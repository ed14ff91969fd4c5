#include "cli/progress.hpp"

#include "cli/output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fanfare::cli {
namespace {

constexpr double smoothing_s = 5;
constexpr std::size_t bar_width = 24;

std::string_view meaning_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::pending:
            return "Not tried yet.";
        case Outcome::sent:
            return "The provider took the message.";
        case Outcome::delivered:
            return "Delivered, says the provider's receipt.";
        case Outcome::opened:
            return "Delivered and opened.";
        case Outcome::clicked:
            return "Delivered, and a link was clicked.";
        case Outcome::refused:
            return "The provider will not serve this recipient.";
        case Outcome::suppressed:
            return "Left out: nothing may be sent to the address.";
        case Outcome::opted_out:
            return "Left out: the person does not want this.";
        case Outcome::no_address:
            return "Left out: no address on this channel.";
        case Outcome::expired:
            return "Too late to be true: not sent.";
        case Outcome::cancelled:
            return "Cancelled before it was sent.";
        case Outcome::retry:
            return "A passing fault: it is tried again.";
        case Outcome::failed:
            return "Given up after the last attempt.";
        case Outcome::replayed:
            return "A later job took the person over.";
        case Outcome::unknown:
            return "Nobody can know: the request was sent and its answer lost. Not sent again.";
    }
    return "";
}

std::string_view meaning_of(Reason reason) {
    switch (reason) {
        case Reason::none:
            return "";
        case Reason::address_invalid:
            return "The provider calls the address invalid or dead.";
        case Reason::recipient_refused:
            return "The provider cannot serve this recipient.";
        case Reason::request_refused:
            return "The provider refused the content or parameters.";
        case Reason::account_unusable:
            return "The provider account does not work: credentials, sender or domain.";
        case Reason::throttled:
            return "The provider asked to slow down.";
        case Reason::provider_unavailable:
            return "The provider was not available.";
        case Reason::answer_lost:
            return "The request was written, no answer came.";
        case Reason::answer_unreadable:
            return "The provider's answer could not be read.";
        case Reason::worker_lost:
            return "The worker died or stalled while sending.";
        case Reason::on_suppression_list:
            return "The address is on the suppression list (fanfare suppress list).";
        case Reason::duplicate_address:
            return "Somebody else of the audience has the address.";
        case Reason::consent_withdrawn:
            return "The contact query says opted_out, or the person told the provider to stop.";
        case Reason::address_missing:
            return "The contact query gives no address.";
        case Reason::past_expiry:
            return "The job had expired.";
        case Reason::job_cancelled:
            return "The job was cancelled.";
        case Reason::attempts_exhausted:
            return "worker.attempts_max attempts were used up.";
        case Reason::not_sent:
            return "The request never left: DNS, connection or TLS.";
        case Reason::recipient_gone:
            return "The contact query does not know the person any more.";
        case Reason::too_often:
            return "The kind's at_most was reached for this person.";
        case Reason::quiet_hours:
            return "It fell into the kind's quiet hours, which drop what comes then.";
        case Reason::recipient_invalid:
            return "The contact query fails at this person: see the worker's log.";
        case Reason::query_failed:
            return "The contact query fails: see the worker's log, mend it, publish again.";
        case Reason::given_up:
            return "Its chunk took one worker after another down.";
        case Reason::not_configured:
            return "Its kind or system is no longer in the configuration.";
        case Reason::content_too_large:
            return "The message was too large.";
    }
    return "";
}

}  // namespace

std::int64_t settled_of(const ledger::ChannelProgress& channel) {
    std::int64_t settled = 0;
    for (std::size_t i = 0; i < outcome_count; ++i) {
        if (is_final(static_cast<Outcome>(i))) settled += channel.outcomes[i];
    }
    return settled;
}

std::int64_t accepted_of(const ledger::ChannelProgress& channel) {
    std::int64_t accepted = 0;
    for (const auto outcome :
         {Outcome::sent, Outcome::delivered, Outcome::opened, Outcome::clicked}) {
        accepted += channel.outcomes[static_cast<std::size_t>(outcome)];
    }
    return accepted;
}

void RateEstimate::sample(double at_s, std::int64_t settled) {
    if (last_ && at_s > last_->first) {
        const double elapsed = at_s - last_->first;
        const double now =
            static_cast<double>(std::max<std::int64_t>(0, settled - last_->second)) / elapsed;
        const double weight = 1 - std::exp(-elapsed / smoothing_s);
        rate_ = rate_ ? *rate_ + weight * (now - *rate_) : now;
    }
    if (!last_ || at_s > last_->first) last_ = {at_s, settled};
}

std::optional<double> eta_s(std::int64_t remaining, std::optional<double> per_second) {
    if (remaining <= 0) return 0.0;
    if (!per_second || *per_second <= 0.01) return std::nullopt;
    return static_cast<double>(remaining) / *per_second;
}

std::string bar_of(std::int64_t done, std::int64_t planned, std::size_t width) {
    const auto share =
        planned <= 0
            ? 0.0
            : std::clamp(static_cast<double>(done) / static_cast<double>(planned), 0.0, 1.0);
    // Rounded down: nearly done is not done.
    const auto filled = static_cast<std::size_t>(share * static_cast<double>(width));
    return fmt::format("[{}{}] {:3}%", std::string(filled, '#'), std::string(width - filled, ' '),
                       static_cast<int>(share * 100));
}

bool is_over(std::string_view job_state) {
    return job_state == "done" || job_state == "cancelled" || job_state == "failed";
}

std::string channel_line(const ledger::ChannelProgress& channel, std::optional<double> per_second,
                         bool over) {
    const auto settled = settled_of(channel);
    auto line = fmt::format("{:<5} {} {}/{} settled", channel.channel,
                            bar_of(settled, channel.planned, bar_width), grouped(settled),
                            grouped(channel.planned));
    for (std::size_t i = 1; i < outcome_count; ++i) {  // All but pending.
        if (channel.outcomes[i] == 0) continue;
        line += fmt::format(" | {} {}", to_string(static_cast<Outcome>(i)),
                            grouped(channel.outcomes[i]));
    }
    if (over) return line;
    if (per_second) line += fmt::format(" | {}/s", grouped(std::llround(*per_second)));
    const auto left = eta_s(channel.planned - settled, per_second);
    if (left && *left > 0) line += fmt::format(" | {} left", duration_of(*left));
    return line;
}

std::string sentence_of(Outcome outcome, Reason reason) {
    std::string sentence{meaning_of(outcome)};
    if (const auto why = meaning_of(reason); !why.empty()) sentence += fmt::format(" {}", why);
    return sentence;
}

}  // namespace fanfare::cli
