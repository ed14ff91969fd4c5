#pragma once

#include "sim/http/message.hpp"
#include "sim/providers/provider.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fanfare::sim {

/// Who may send, by either API.
class VonageAccess {
public:
    explicit VonageAccess(const ProviderOptions& options);

    /// Key with secret, or key with signature: the status of the SMS API, 0 when all is well.
    /// Of the five methods any will do.
    [[nodiscard]] int check_form(const std::vector<Field>& fields, std::int64_t now_s) const;

    /// Basic: what the account itself is asked with.
    [[nodiscard]] bool is_account(const Request& request) const;

    /// Basic, or the RS256 token of an application (its signature only with a public key).
    [[nodiscard]] bool allows(const Request& request, std::int64_t now_s) const;

private:
    [[nodiscard]] bool is_good_token(std::string_view token, std::int64_t now_s) const;

    std::string key_;
    std::string secret_;
    std::string signature_secret_;
    std::string public_key_;
    std::string basic_;
};

}  // namespace fanfare::sim
