#pragma once

#include "core/providers/context.hpp"
#include "core/providers/options.hpp"
#include "core/providers/provider.hpp"
#include "core/settings/problem.hpp"
#include "core/settings/settings.hpp"

#include <memory>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace fanfare {

/// Every type an account may have, in alphabetical order.
[[nodiscard]] std::span<const std::string_view> provider_types();

/// The keys an account of this type takes; none for an unknown type.
[[nodiscard]] std::vector<OptionDoc> provider_options(std::string_view type);

/// Makes the provider of one account, or tells everything that is wrong with it.
[[nodiscard]] std::variant<std::unique_ptr<Provider>, Problems> make_provider(
    const AccountSettings& account, const ProviderContext& context);

}  // namespace fanfare
