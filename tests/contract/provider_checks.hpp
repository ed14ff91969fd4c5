#pragma once

#include "core/providers/provider.hpp"
#include "tests/contract/wire_reader.hpp"

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

/// The checks of the provider contract, as functions: they answer with what is wrong, so
/// that a second suite can plant bugs and see that each is found.
namespace fanfare::testing {

/// What the contract must know of one provider.
struct ProviderCase {
    std::string name;
    std::function<std::unique_ptr<Provider>()> make;
    std::function<Reading(const HttpRequest&)> read_request;
    std::string success_body;  // For two recipients, or one where the vendor takes one a call.
    int success_status = 200;
    std::string success_message_id = {};  // HttpAnswer::message_id
    std::string own_error = {};           // Its document of a passing fault, for 5xx; "": no HTTP.
    bool perhaps_taken = false;           // Its manual does not exclude a sending with that.
};

void PrintTo(const ProviderCase& provider_case, std::ostream* out);

[[nodiscard]] const std::vector<ProviderCase>& provider_cases();

using Complaints = std::vector<std::string>;  // Empty: the provider keeps the contract.

/// Each address is in the request once, and nothing the vendor would refuse.
[[nodiscard]] Complaints check_addresses(const ProviderCase& its, const Provider& provider);

/// Nothing of one person can be seen by another.
[[nodiscard]] Complaints check_privacy(const ProviderCase& its, const Provider& provider);

/// A hostile value of a person changes nothing outside its own field, and is shown as typed.
[[nodiscard]] Complaints check_hostile_values(const ProviderCase& its, const Provider& provider);

/// The same for what the job's data put into the text.
[[nodiscard]] Complaints check_hostile_literals(const ProviderCase& its, const Provider& provider);

/// Nothing of an earlier request is left in a reused one.
[[nodiscard]] Complaints check_residue(const ProviderCase& its, const Provider& provider);

/// The same batch gives the same bytes.
[[nodiscard]] Complaints check_determinism(const ProviderCase& its, const Provider& provider);

/// read() takes any bytes, says ok for nothing but a readable 2xx, and lets no word of the
/// vendor's into `detail`.
[[nodiscard]] Complaints check_reading(const ProviderCase& its, const Provider& provider);

/// Who answers with an error: the provider's own document is a word of the provider's, any other
/// page is a gateway's, of which 5xx may come after the provider has taken the call.
[[nodiscard]] Complaints check_gateways(const ProviderCase& its, const Provider& provider);

}  // namespace fanfare::testing
