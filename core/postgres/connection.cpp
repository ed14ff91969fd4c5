#include "core/postgres/connection.hpp"

#include "core/postgres/address.hpp"
#include "core/postgres/words.hpp"

#include <fmt/format.h>
#include <pqxx/except>
#include <pqxx/nontransaction>

#include <poll.h>

namespace fanfare::postgres {
namespace {

std::string with_keepalives(const std::string& url) {
    // Without these a dead peer blocks a thread for TCP's fifteen minutes.
    constexpr std::string_view uri =
        "connect_timeout=3&keepalives=1&keepalives_idle=5&keepalives_interval=3"
        "&keepalives_count=3&tcp_user_timeout=15000&client_encoding=UTF8&application_name=fanfare";
    constexpr std::string_view words =
        " connect_timeout=3 keepalives=1 keepalives_idle=5 keepalives_interval=3"
        " keepalives_count=3 tcp_user_timeout=15000 client_encoding=UTF8 application_name=fanfare";
    if (url.find("://") == std::string::npos) return url + std::string{words};
    return fmt::format("{}{}{}", url, url.find('?') == std::string::npos ? '?' : '&', uri);
}

Errc code_of_state(std::string_view state) {
    if (PreparedStatements::are_lost(state)) return Errc::store_conflict;
    if (state == "40001" || state == "40P01" || state == "55P03") return Errc::store_conflict;
    if (state == "57014") return Errc::store_timeout;  // statement_timeout, or cancelled by hand.
    // The server's own limit on temporary files: the query is to blame, not the hour.
    if (state == "53400") return Errc::store_rejected;
    const auto kind = state.substr(0, 2);
    if (kind == "22" || kind == "23") return Errc::store_data;
    // Connection trouble, resources, operator intervention, read-only: all pass by themselves.
    if (kind == "08" || kind == "53" || kind == "57" || kind == "58" || state == "25006" ||
        state.empty()) {
        return Errc::store_unavailable;
    }
    return Errc::store_rejected;
}

/// The exceptions of the client's own side quote what they could not convert.
std::string_view words_of_fault(const std::exception& fault) {
    if (dynamic_cast<const pqxx::conversion_error*>(&fault) != nullptr) {
        return "a value is not of the form that its column should have";
    }
    if (dynamic_cast<const pqxx::range_error*>(&fault) != nullptr) {
        return "other rows or columns came than were asked for";
    }
    return "an unexpected fault of the client";
}

std::unique_ptr<pqxx::connection> connected(const Secret& url) {
    try {
        return std::make_unique<pqxx::connection>(with_keepalives(url.reveal()));
    } catch (const pqxx::broken_connection& fault) {
        throw Unreachable{
            fmt::format("{}: {}", parse_address(url).text(), words_of_refusal(fault.what()))};
    }
}

}  // namespace

Failure to_failure(const std::exception& fault, bool connection_open, std::string doing,
                   std::source_location where) {
    const auto with = [&doing](std::string_view why) { return fmt::format("{}: {}", doing, why); };
    if (dynamic_cast<const pqxx::in_doubt_error*>(&fault) != nullptr) {
        return {Errc::commit_in_doubt, std::move(doing), where};
    }
    if (const auto* away = dynamic_cast<const Unreachable*>(&fault)) {
        return {Errc::store_unavailable, with(away->what()), where};
    }
    if (!connection_open || dynamic_cast<const pqxx::broken_connection*>(&fault) != nullptr) {
        return {Errc::store_unavailable, std::move(doing), where};
    }
    if (dynamic_cast<const pqxx::transaction_rollback*>(&fault) != nullptr) {
        return {Errc::store_conflict, std::move(doing), where};
    }
    if (const auto* sql = dynamic_cast<const pqxx::sql_error*>(&fault)) {
        return {code_of_state(sql->sqlstate()), with(words_of_state(sql->sqlstate(), sql->what())),
                where};
    }
    if (const auto* mistake = dynamic_cast<const QueryMistake*>(&fault)) {
        return {Errc::store_rejected, with(mistake->what()), where};
    }
    return {Errc::store_rejected, with(words_of_fault(fault)), where};
}

Connection::Connection(const Secret& url, const Limits& limits)
    : connection_{connected(url)}, prepared_{url.reveal()} {
    forbid_reconnecting(*connection_);
    silence_ = std::make_unique<Silence>(*connection_);
    pqxx::nontransaction session{*connection_};
    session.exec(
        fmt::format("SET statement_timeout = {}; SET lock_timeout = 10000; "
                    "SET idle_in_transaction_session_timeout = 60000; "
                    "SET default_transaction_read_only = {}; SET jit = off",
                    limits.statement_timeout.count(), limits.read_only ? "on" : "off"));
    if (limits.in_utc) session.exec("SET TimeZone = 'UTC'");
    if (limits.goes_by_key) {
        session.exec("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off");
    }
}

bool Connection::is_open() const noexcept { return connection_ && connection_->is_open(); }

bool Connection::is_alive() const noexcept {
    if (!is_open()) return false;
    pollfd socket{.fd = connection_->sock(), .events = POLLRDHUP, .revents = 0};
    return ::poll(&socket, 1, 0) == 0;
}

bool finds(Connection& connection, const std::string& sql) {
    pqxx::nontransaction work{connection.raw()};
    return !connection.exec_prepared(work, sql).empty();
}

}  // namespace fanfare::postgres
