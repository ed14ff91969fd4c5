#pragma once

#include "core/ledger/own_templates.hpp"
#include "producer/api/fields.hpp"
#include "producer/api/routes.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include <array>
#include <span>
#include <string>
#include <variant>
#include <vector>

/// What owners' own templates may be, and which ones count.
namespace fanfare::api {

/// What an owner's texts of a kind may speak of on one channel: what its shipped texts speak of,
/// and the columns of the contact query. What a shipped text writes outside of sections every job
/// has.
[[nodiscard]] KnownVariables known_variables(const Templates& shipped, const Kind& kind,
                                             Channel channel, std::span<const std::string> columns);

/// The member "parts" of a body: names of parts with their texts. What is no object of texts, or
/// too much, is refused.
[[nodiscard]] std::variant<OwnParts, HttpReply> read_parts(const Fields& fields);

/// 422 with every mistake: where (a JSON pointer, line and column) and what would be right.
[[nodiscard]] HttpReply refusal_of_parts(const Problems& problems);

/// The columns of the system's contact queries, by channel. Throws what libpqxx throws.
using Columns = std::array<std::vector<std::string>, channel_count>;
[[nodiscard]] Columns contact_columns(postgres::Connection& source, const System& system);

/// The templates that a job of this owner would be planned with now.
[[nodiscard]] boost::asio::awaitable<Result<Templates>> templates_now(const ApiContext& parts,
                                                                      ledger::TemplatesKey key,
                                                                      const Kind& kind);

}  // namespace fanfare::api
