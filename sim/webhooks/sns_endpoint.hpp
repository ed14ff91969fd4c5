#pragma once

#include "sim/http/handler.hpp"
#include "sim/webhooks/webhook_queue.hpp"

namespace fanfare::sim {

/// Answers for SNS below /sns/: the certificate of its signatures, and SubscribeURL. All else is
/// the next handler's.
///
/// Threads   any.
/// Lifetime  queue and next outlive it.
class SnsEndpoint final : public Handler {
public:
    SnsEndpoint(WebhookQueue& webhook_queue, Handler& next)
        : webhook_queue_{webhook_queue}, next_{next} {}

    void handle(const Request& request, Reaction& reaction) override;
    void ended(std::uint8_t ticket) override { next_.ended(ticket); }
    void park(std::uint8_t ticket, std::function<void()> resume) override {
        next_.park(ticket, std::move(resume));
    }

private:
    WebhookQueue& webhook_queue_;
    Handler& next_;
};

}  // namespace fanfare::sim
