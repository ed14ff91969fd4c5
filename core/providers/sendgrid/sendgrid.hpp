#pragma once

#include "core/providers/context.hpp"
#include "core/providers/options.hpp"
#include "core/providers/provider.hpp"

#include <memory>
#include <span>

namespace fanfare::sendgrid {

inline constexpr std::string_view type = "sendgrid";
inline constexpr std::size_t recipients_max = 1000;  // Of one call, by SendGrid's rules.

[[nodiscard]] std::span<const OptionDoc> options();

/// An account at SendGrid, or null where `reader` found a problem.
[[nodiscard]] std::unique_ptr<Provider> make(OptionReader& reader, const ProviderContext& context);

/// What an answer of POST /v3/mail/send to a call of `count` recipients means.
[[nodiscard]] BatchAnswer read_answer(const HttpAnswer& answer, std::size_t count,
                                      std::int64_t now_unix);

}  // namespace fanfare::sendgrid
