#pragma once

#include "core/clock/clock.hpp"
#include "sim/webhooks/webhook_queue.hpp"

#include <filesystem>
#include <memory>

namespace fanfare::sim {

/// Posts what the queue has due, over HTTP or HTTPS.
///
/// Bounds    15 s a post; the queue's concurrency.
/// Threads   its own one from construction to destruction.
/// Lifetime  queue and clock outlive it. What is in flight at the end is cut.
class WebhookSender {
public:
    /// `ca_file`: the CA bundle to trust; empty: the system's.
    WebhookSender(WebhookQueue& webhook_queue, const Clock& clock,
                  const std::filesystem::path& ca_file);
    ~WebhookSender();
    WebhookSender(const WebhookSender&) = delete;
    WebhookSender& operator=(const WebhookSender&) = delete;

private:
    class Round;
    std::unique_ptr<Round> round_;
};

/// The request of a webhook, on its way to `connect` if that names another place than its URL.
[[nodiscard]] HttpRequest addressed(const WebhookRequest& webhook);

}  // namespace fanfare::sim
