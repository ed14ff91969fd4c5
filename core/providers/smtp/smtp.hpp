#pragma once

#include "core/providers/context.hpp"
#include "core/providers/options.hpp"
#include "core/providers/provider.hpp"
#include "core/providers/smtp/reply_text.hpp"

#include <memory>
#include <span>

namespace fanfare::smtp {

inline constexpr std::string_view type = "smtp";

/// The keys of the settings that only this provider has.
[[nodiscard]] std::span<const OptionDoc> options();

/// An account at a mail server, or null where `reader` found a problem.
[[nodiscard]] std::unique_ptr<Provider> make(OptionReader& reader, const ProviderContext& context);

/// What the last reply of a mail server means, for the one recipient there was. A reply that names
/// `ours` does not speak of the recipient.
[[nodiscard]] BatchAnswer read_answer(const HttpAnswer& answer, const OurNames& ours);

}  // namespace fanfare::smtp
