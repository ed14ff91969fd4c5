#pragma once

#include "producer/receipts/receiver.hpp"

#include <memory>

namespace fanfare::receipts {

/// Twilio's status callbacks: HMAC-SHA1 with webhook_auth_token, or auth_token, over the public URL
/// and the sorted form (or bodySHA256). The reference is the query's `ref`.
[[nodiscard]] std::unique_ptr<Receiver> make_twilio(const AccountSettings& account,
                                                    const ReceiverContext& context);

}  // namespace fanfare::receipts
