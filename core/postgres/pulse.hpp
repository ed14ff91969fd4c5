#pragma once

#include "core/settings/secret.hpp"

#include <memory>

struct pg_conn;

namespace fanfare::postgres {

/// Whether a database answers and takes writes: on a connection of its own, opened again when it
/// is lost, which no slow statement of ours holds up.
///
/// Bounds    2 s to connect, 2 s to answer.
/// Threads   one.
class Pulse {
public:
    explicit Pulse(Secret url);
    ~Pulse();
    Pulse(const Pulse&) = delete;
    Pulse& operator=(const Pulse&) = delete;

    [[nodiscard]] bool beats();

private:
    struct Closer {
        void operator()(pg_conn* connection) const noexcept;
    };

    [[nodiscard]] bool connect();
    [[nodiscard]] bool ask();

    Secret url_;
    std::unique_ptr<pg_conn, Closer> connection_;
};

}  // namespace fanfare::postgres
