#pragma once

#include "sim/http/handler.hpp"
#include "sim/webhooks/postbag.hpp"

namespace fanfare::sim {

/// Answers for SNS below /sns/: the certificate of its signatures, and SubscribeURL. All else is
/// the next handler's.
///
/// Threads   any.
/// Lifetime  postbag and next outlive it.
class SnsDoor final : public Handler {
public:
    SnsDoor(Postbag& postbag, Handler& next) : postbag_{postbag}, next_{next} {}

    void handle(const Request& request, Reaction& reaction) override;
    void ended(std::uint8_t ticket) override { next_.ended(ticket); }
    void park(std::uint8_t ticket, std::function<void()> resume) override {
        next_.park(ticket, std::move(resume));
    }

private:
    Postbag& postbag_;
    Handler& next_;
};

}  // namespace fanfare::sim
