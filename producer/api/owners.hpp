#pragma once

#include "core/postgres/connection.hpp"
#include "core/systems/system.hpp"
#include "core/wire/job.hpp"
#include "producer/api/clients.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

/// What a client that is bound to an owner may ask for, and whose people it may reach. What it sees
/// is its access. Every other caller passes all of these as it came.
namespace fanfare::api {

/// Values of an audience's parameters, by name.
using Params = std::map<std::string, std::string>;

/// The audience must name its owner, and the owner is the caller: that parameter is filled in.
/// The refusal of anybody else's.
[[nodiscard]] std::optional<HttpReply> keep_to_owner(Params& params, const Audience& audience,
                                                     const Caller& caller);

/// The same for what is ordered, before resolve_job(). Who was told earlier is no audience of an
/// owner's, and the subjects of due queries are the system's.
[[nodiscard]] std::optional<HttpReply> keep_to_owner(Job& job, const Caller& caller,
                                                     const Systems& systems);

/// The same for a notification of the kind with these parameters: one that is new, or one of
/// theirs that gets others.
enum class Notified : std::uint8_t { anew, again };
[[nodiscard]] std::optional<HttpReply> keep_to_owner(Params& params, const std::string& system,
                                                     const std::string& kind, Notified notified,
                                                     const Caller& caller, const Systems& systems);

/// Those of `recipients` whom an audience has that needs no more than its owner. Throws what
/// libpqxx throws.
[[nodiscard]] std::vector<std::string> people_of_owner(postgres::Connection& source,
                                                       const System& system,
                                                       const std::string& owner,
                                                       const std::vector<std::string>& recipients);

/// Where everybody's people are looked at or changed.
[[nodiscard]] std::optional<HttpReply> denied_to_owners(const Caller& caller);

/// The refusal where the database takes no such owner, which is as good as one with nobody.
[[nodiscard]] HttpReply no_such_owner();
/// The refusal of a list in which nobody is theirs.
[[nodiscard]] HttpReply nobody_of_owner();

}  // namespace fanfare::api
