#pragma once

#include "sim/http/message.hpp"
#include "sim/providers/provider.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace fanfare::sim {

/// An error of SES: its type and its text. "": none.
struct SesError {
    std::string_view type = {};
    std::string text = {};
    int status = 400;
};

/// Makes the request's SigV4 signature again with the configured key and compares; its date
/// must be within five minutes of `now_s`.
[[nodiscard]] SesError check_signature(const Request& request, const ProviderOptions& options,
                                       std::int64_t now_s);

}  // namespace fanfare::sim
