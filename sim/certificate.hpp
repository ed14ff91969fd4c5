#pragma once

#include <string>

namespace fanfare::sim {

/// A throw-away authority and a certificate for localhost and 127.0.0.1 signed by it.
struct Certificate {
    std::string authority_pem;
    std::string certificate_pem;
    std::string key_pem;
};

/// Makes a new one (EC P-256, valid for 30 days), for `name` too unless it is empty. Throws
/// std::runtime_error.
[[nodiscard]] Certificate make_certificate(const std::string& name);

}  // namespace fanfare::sim
