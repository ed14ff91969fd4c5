#pragma once

#include "core/providers/context.hpp"
#include "core/providers/options.hpp"
#include "core/providers/provider.hpp"

#include <memory>
#include <span>

namespace fanfare::fcm {

inline constexpr std::string_view type = "fcm";

/// The keys of the settings that only this provider has.
[[nodiscard]] std::span<const OptionDoc> options();

/// A project at Firebase Cloud Messaging, or null where `reader` found a problem.
[[nodiscard]] std::unique_ptr<Provider> make(OptionReader& reader, const ProviderContext& context);

/// What an answer of POST .../messages:send means.
[[nodiscard]] BatchAnswer read_answer(const HttpAnswer& answer, std::int64_t now_unix);

/// The access token in an answer of the OAuth2 token endpoint.
[[nodiscard]] Result<Credential> read_token_answer(const HttpAnswer& answer);

}  // namespace fanfare::fcm
