#include "core/postgres/pulse.hpp"

#include "core/handle/handle.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <string_view>

namespace fanfare::postgres {
namespace {

using Answer = Handle<PGresult, PQclear>;

constexpr int answer_ms = 2'000;

/// True once all of the answer is there.
bool wait_for_answer(PGconn* connection) {
    // A look takes as long as one wait: what trickles in is no answer.
    pollfd socket{.fd = PQsocket(connection), .events = POLLIN, .revents = 0};
    while (PQisBusy(connection) == 1) {
        if (::poll(&socket, 1, answer_ms) != 1 || PQconsumeInput(connection) != 1) return false;
    }
    return true;
}

}  // namespace

void Pulse::Closer::operator()(pg_conn* connection) const noexcept { PQfinish(connection); }

Pulse::Pulse(Secret url) : url_{std::move(url)} {}

Pulse::~Pulse() = default;

bool Pulse::beats() {
    if (!connection_ && !connect()) return false;
    if (ask()) return true;
    connection_.reset();
    return false;
}

bool Pulse::connect() {
    const std::array<const char*, 4> names{"dbname", "connect_timeout", "application_name",
                                           nullptr};
    const std::array<const char*, 4> values{url_.reveal().c_str(), "2", "fanfare", nullptr};
    connection_.reset(PQconnectdbParams(names.data(), values.data(), 1));
    if (PQstatus(connection_.get()) == CONNECTION_OK) return true;
    connection_.reset();
    return false;
}

bool Pulse::ask() {
    auto* const connection = connection_.get();
    if (PQsendQuery(connection, "SELECT NOT pg_is_in_recovery()") != 1) return false;
    if (!wait_for_answer(connection)) return false;
    const Answer answer{PQgetResult(connection)};
    const bool well = PQresultStatus(answer.get()) == PGRES_TUPLES_OK &&
                      std::string_view{PQgetvalue(answer.get(), 0, 0)} == "t";
    // One answer and its end: else the next look would read this one's.
    if (!wait_for_answer(connection)) return false;
    const Answer end{PQgetResult(connection)};
    return !end && well;
}

}  // namespace fanfare::postgres
