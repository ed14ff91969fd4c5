#pragma once

#include "worker/send/account.hpp"
#include "worker/send/letters.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace fanfare {

/// One claimed chunk on its way through the send stage.
struct Work {
    ledger::ClaimedChunk chunk;
    std::shared_ptr<const JobContext> job;
    Resolved resolved;
    Letters letters;
    std::shared_ptr<Provider> provider;  // That composed the letters; reads their answers.
    Moment lease_ends{};
    std::int32_t attempts_max = 5;

    // What the answers of the current pass asked for.
    std::vector<std::uint32_t> spent;              // Recipients, once for each attempt that failed.
    std::chrono::milliseconds throttled_for{0};    // The account.
    std::chrono::milliseconds recipients_wait{0};  // Single addresses.
    std::optional<TimePoint> quiet_until;          // The earliest end of somebody's quiet hours.
    std::vector<std::uint32_t> quiet;              // Whom they keep open.
    bool lost = false;                             // No longer ours: nothing is to be recorded.
    bool account_refused = false;
    std::string refusal;
    std::vector<std::string> dead;   // Addresses the provider calls dead, canonical.
    std::vector<Fate> target_fates;  // One of Resolved::targets each; pending: not tried.

    // People with several devices, over all passes of this claim.
    std::set<std::uint32_t> told;               // Told on one device while another is still open.
    std::set<std::string, std::less<>> served;  // Devices whose fate is final.
};

/// Sends all letters of one chunk: permit, slot, request; reads the answers into fates.
///
/// Every request is sent at most once here, and none is begun that could outlast the lease.
/// What was not begun stays pending.
///
/// Bounds    the account's permits in flight.
/// Threads   one serial executor.
/// Lifetime  lives until fly() returned; account and work outlive it.
class Flight {
public:
    Flight(const boost::asio::any_io_executor& executor, Account& account, Work& work,
           const Clock& clock);

    [[nodiscard]] boost::asio::awaitable<void> fly();

private:
    void begin(Letter& letter);
    void landed(Letter& letter, const HttpAnswer& answer);
    void apply(const Letter& letter, const BatchAnswer& answer);
    void apply_one(const Letter& letter, std::uint32_t index, Verdict verdict, Reason reason,
                   const std::string& provider_id);
    void split(const Letter& letter);
    void send_rest(const Letter& letter, const BatchAnswer& answer);
    void keep_open();
    [[nodiscard]] bool may_begin() const;
    void compose(Letter& letter) const;

    Account& account_;
    Work& work_;
    const Clock& clock_;
    Signal changed_;
    std::deque<Letter*> waiting_;
    std::deque<Letter> parts_;            // Letters made of others; addresses are stable.
    std::vector<Letter*> stale_;          // Refused for a stale token: once more with a new one.
    std::vector<const Letter*> untried_;  // Never begun, or refused unread.
    bool renewed_ = false;
    std::size_t open_ = 0;
};

}  // namespace fanfare
