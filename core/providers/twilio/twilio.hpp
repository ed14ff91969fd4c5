#pragma once

#include "core/providers/context.hpp"
#include "core/providers/options.hpp"
#include "core/providers/provider.hpp"

#include <memory>
#include <span>

namespace fanfare::twilio {

inline constexpr std::string_view type = "twilio";

/// The keys of the settings that only this provider has.
[[nodiscard]] std::span<const OptionDoc> options();

/// An account at Twilio, or null where `reader` found a problem.
[[nodiscard]] std::unique_ptr<Provider> make(OptionReader& reader, const ProviderContext& context);

/// What an answer of POST .../Messages.json means.
[[nodiscard]] BatchAnswer read_answer(const HttpAnswer& answer, std::int64_t now_unix);

}  // namespace fanfare::twilio
