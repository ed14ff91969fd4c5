#pragma once

#include "producer/receipts/receiver.hpp"

#include <memory>

namespace fanfare::receipts {

/// Both APIs of Vonage. Messages: an HS256 token in Authorization that holds the body's hash.
/// SMS: `sig` over all parameters, by signature_method. Both with the account's signature_secret.
/// The reference is client_ref or client-ref, or the query's `ref`.
[[nodiscard]] std::unique_ptr<Receiver> make_vonage(const AccountSettings& account,
                                                    const ReceiverContext& context);

}  // namespace fanfare::receipts
