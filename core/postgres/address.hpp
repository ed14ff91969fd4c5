#pragma once

#include "core/settings/secret.hpp"

#include <string>

namespace fanfare::postgres {

/// Where a connection string leads, environment variables of libpq included. No password.
struct Address {
    std::string host;  // The first of several; "" or a path: a socket of this machine.
    std::string port;
    std::string database;
    std::string sslmode;
    bool is_remote = false;  // Some of its hosts: what is said to them passes through a network.

    /// "db.example.com:5432/fanfare".
    [[nodiscard]] std::string text() const;
};

/// Empty where libpq cannot read it.
[[nodiscard]] Address parse_address(const Secret& url);

}  // namespace fanfare::postgres
