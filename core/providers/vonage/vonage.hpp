#pragma once

#include "core/providers/context.hpp"
#include "core/providers/options.hpp"
#include "core/providers/provider.hpp"

#include <memory>
#include <span>

namespace fanfare::vonage {

inline constexpr std::string_view type = "vonage";

/// The keys of the settings that only this provider has.
[[nodiscard]] std::span<const OptionDoc> options();

/// An account at Vonage, or null where `reader` found a problem.
[[nodiscard]] std::unique_ptr<Provider> make(OptionReader& reader, const ProviderContext& context);

/// What an answer of POST /sms/json means: the worst over the parts of the text.
[[nodiscard]] BatchAnswer read_sms_answer(const HttpAnswer& answer, std::int64_t now_unix);

/// What an answer of POST /v1/messages means.
[[nodiscard]] BatchAnswer read_messages_answer(const HttpAnswer& answer, std::int64_t now_unix);

}  // namespace fanfare::vonage
