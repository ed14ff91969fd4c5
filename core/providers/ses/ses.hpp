#pragma once

#include "core/providers/context.hpp"
#include "core/providers/options.hpp"
#include "core/providers/provider.hpp"

#include <memory>
#include <span>
#include <string>

namespace fanfare::ses {

inline constexpr std::string_view type = "ses";
inline constexpr std::size_t recipients_max = 50;  // Of one call, by the rules of SES.

[[nodiscard]] std::span<const OptionDoc> options();

/// An account at Amazon SES, or null where `reader` found a problem.
[[nodiscard]] std::unique_ptr<Provider> make(OptionReader& reader, const ProviderContext& context);

/// What an answer of SendBulkEmail to a call of `count` entries means. `sender` is the
/// address in From: an error that names it is the account's, not a recipient's.
[[nodiscard]] BatchAnswer read_answer(const HttpAnswer& answer, std::size_t count,
                                      std::string_view sender, std::int64_t now_unix);

/// The reference "<job>.<chunk>.<position>.<tag>" as the value of the message tag `fanfare`,
/// in which SES takes letters, digits, '_' and '-' only: the first three dots are '_'. Job,
/// chunk and position hold no '_', so events can be read back, though the tag may.
void append_tag_of_reference(std::string_view reference, std::string& out);

}  // namespace fanfare::ses
