#pragma once

#include <pqxx/connection>
#include <pqxx/stream_to>
#include <pqxx/transaction>
#include <pqxx/version>
#if PQXX_VERSION_MAJOR < 7
#include <pqxx/errorhandler>
#endif

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

/// What libpqxx 6.4 (Debian 12) and 7.10 (Debian 13) do differently, in one place.
namespace fanfare::postgres {

/// While it lives, nothing that the server says besides answers reaches stderr: notices may carry
/// data of people in their DETAIL. Goes before its connection.
class Silence final
#if PQXX_VERSION_MAJOR < 7
    : public pqxx::errorhandler {
public:
    explicit Silence(pqxx::connection& connection) : pqxx::errorhandler{connection} {}
    bool operator()(const char[]) noexcept override { return false; }
#else
{
public:
    explicit Silence(pqxx::connection& connection) {
        connection.set_notice_handler([](pqxx::zview) noexcept {});
    }
#endif
};

/// A connection that broke stays so: 6.4 would reconnect in silence, from 7 on none does.
inline void forbid_reconnecting([[maybe_unused]] pqxx::connection& connection) {
#if PQXX_VERSION_MAJOR < 7
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // The call is the cure in 6.4.
    connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
#endif
}

/// Several reads that must fit together: all of them see the database as it was at the first.
#if PQXX_VERSION_MAJOR < 7
using Snapshot = pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>;
#else
using Snapshot = pqxx::transaction<pqxx::repeatable_read, pqxx::write_policy::read_only>;
#endif

/// Begins COPY of rows into columns of a table. complete() ends it and tells what went wrong; the
/// destructor would swallow that.
[[nodiscard]] inline pqxx::stream_to copy_into(pqxx::transaction_base& work, const char* table,
                                               std::initializer_list<std::string_view> columns) {
#if PQXX_VERSION_MAJOR < 7
    return {work, table, std::vector<std::string>{columns.begin(), columns.end()}};
#else
    return pqxx::stream_to::table(work, {table}, columns);
#endif
}

}  // namespace fanfare::postgres
