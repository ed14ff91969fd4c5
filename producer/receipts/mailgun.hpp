#pragma once

#include "producer/receipts/receiver.hpp"

#include <memory>

namespace fanfare::receipts {

/// Mailgun's webhooks: HMAC-SHA256 with webhook_signing_key over timestamp and token. The body
/// is not covered, so a token counts once, and only what bears a reference of ours is heard: that
/// is user-variables.fanfare and .person.
[[nodiscard]] std::unique_ptr<Receiver> make_mailgun(const AccountSettings& account,
                                                     const ReceiverContext& context);

}  // namespace fanfare::receipts
