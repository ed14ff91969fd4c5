#pragma once

#include "producer/receipts/receiver.hpp"

#include <memory>

namespace fanfare::receipts {

/// SendGrid's event webhook: ECDSA P-256 with webhook_public_key over timestamp and raw body. The
/// reference is the field `fanfare` of each event.
[[nodiscard]] std::unique_ptr<Receiver> make_sendgrid(const AccountSettings& account,
                                                      const ReceiverContext& context);

}  // namespace fanfare::receipts
