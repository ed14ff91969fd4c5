#pragma once

#include "core/providers/context.hpp"
#include "core/providers/options.hpp"
#include "core/providers/provider.hpp"

#include <memory>
#include <span>

namespace fanfare::apns {

inline constexpr std::string_view type = "apns";

/// The keys of the settings that only this provider has.
[[nodiscard]] std::span<const OptionDoc> options();

/// An app at the Apple Push Notification service, or null where `reader` found a problem.
[[nodiscard]] std::unique_ptr<Provider> make(OptionReader& reader, const ProviderContext& context);

/// What an answer of POST /3/device/{token} means.
[[nodiscard]] BatchAnswer read_answer(const HttpAnswer& answer, std::int64_t now_unix);

}  // namespace fanfare::apns
