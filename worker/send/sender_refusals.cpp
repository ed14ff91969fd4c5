#include "worker/send/sender_refusals.hpp"

#include <algorithm>

namespace fanfare {
namespace {

std::string find_domain(std::string_view address) {
    std::string domain{address.substr(address.rfind('@') + 1)};
    std::transform(domain.begin(), domain.end(), domain.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return domain;
}

}  // namespace

void SenderRefusals::weigh(BatchAnswer& answer, std::string_view address, SteadyTime now) {
    if (answer.verdict == Verdict::config) {
        if (!has_taken_) return;
        answer.verdict = Verdict::perm_rcpt;
        answer.reason = Reason::recipient_refused;
    }
    const auto domain = find_domain(address);
    auto& domains = said_[answer.of_us];
    if (domains.size() < domains_min) domains.insert(domain);
    if (domains.size() >= domains_min) {
        answer.verdict = Verdict::config;
        answer.reason = Reason::account_unusable;
        return;
    }
    if (was_heard(domain, now) || answer.verdict != Verdict::perm_rcpt) return;
    answer.verdict = Verdict::throttle;
    answer.reason = Reason::throttled;
    answer.recipient_only = true;
    answer.retry_after = settle;
}

bool SenderRefusals::was_heard(const std::string& domain, SteadyTime now) {
    if (heard_.size() >= domains_max && !heard_.contains(domain)) heard_.clear();
    const auto [entry, is_new] = heard_.try_emplace(domain, now);
    const auto age = now - entry->second;
    if (age <= kept_for) return !is_new && age >= settle;
    entry->second = now;
    return false;
}

}  // namespace fanfare
