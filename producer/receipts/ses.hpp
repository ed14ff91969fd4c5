#pragma once

#include "producer/receipts/receiver.hpp"

#include <memory>

namespace fanfare::receipts {

/// SES events through SNS: RSA with the certificate that the message names, fetched from SNS of the
/// topic's region only, and made out to it; the topic must be the account's topic_arn. A confirmed
/// signature confirms a subscription.
/// The reference is mail.tags.fanfare, its first three dots written as '_'.
[[nodiscard]] std::unique_ptr<Receiver> make_ses(const AccountSettings& account,
                                                 const ReceiverContext& context);

}  // namespace fanfare::receipts
