#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fanfare {

/// Faults on our own side of the wire. What a provider answered is never one of
/// these: see Verdict.
enum class Errc : std::uint8_t {
    config_invalid,      // A setting is missing or out of its bounds. Start-up only.
    kafka_unusable,      // The client could not be opened, or reported a fatal error.
    kafka_unavailable,   // Brokers did not answer in time. Retryable.
    kafka_too_large,     // The broker takes no record of that size: it would refuse it again.
    store_unavailable,   // PostgreSQL refused or dropped the connection. Retryable.
    store_conflict,      // Deadlock, serialization failure, lock timeout. Retryable.
    store_timeout,       // A statement took longer than it may. Retryable, where it may be faster.
    store_rejected,      // PostgreSQL refused the statement itself. A bug or a bad query.
    store_data,          // It refused a value (SQLSTATE 22, 23): it would refuse the same again.
    commit_in_doubt,     // The connection broke during COMMIT: re-read or run it again.
    job_malformed,       // Bytes on a topic that do not decode. Goes to the dead letters.
    job_rejected,        // Decodes, but names what does not exist. Goes to the dead letters.
    template_invalid,    // A template does not parse, or names an unknown variable.
    http_unavailable,    // An endpoint of ours (token, metrics) could not be reached. Retryable.
    credential_refused,  // A provider does not accept our credential. Needs a person.
    stopping,            // Shutdown cut the operation short. Never logged as an error.
};

[[nodiscard]] std::string_view to_string(Errc code) noexcept;

/// True when the same call may succeed later without anyone changing anything.
[[nodiscard]] bool is_retryable(Errc code) noexcept;

/// PostgreSQL refused a statement, or a value in it.
[[nodiscard]] constexpr bool is_refused(Errc code) noexcept {
    return code == Errc::store_rejected || code == Errc::store_data;
}

/// An operating fault: what kind, what we were doing, and where.
///
/// Returned in a Result, never thrown on the message path. `doing` completes the
/// sentence "could not ...": write "commit offsets", not "commit failed". It is logged: no value
/// that came from outside stands in it, and no sentence of a library that may quote one.
struct Failure {
    Errc code;
    std::string doing;
    std::source_location where;
};

/// Builds a Failure that remembers its caller: return fail(Errc::stopping, "poll kafka");
[[nodiscard]] inline Failure fail(Errc code, std::string doing,
                                  std::source_location where = std::source_location::current()) {
    return {code, std::move(doing), where};
}

/// One line for a log: "could not commit offsets: kafka_unavailable". No place in the source.
[[nodiscard]] std::string describe(const Failure& failure);

/// The same for whoever works with Fanfare: "could not commit offsets (kafka_unavailable)". What is
/// stored, answered or printed.
[[nodiscard]] std::string to_sentence(const Failure& failure);

template <class T>
using Result = boost::system::result<T, Failure>;

/// Lets Result::value() throw where an unhandled failure is a bug (tests, main).
[[noreturn]] void throw_exception_from_error(const Failure& failure, const boost::source_location&);

/// Always-on assertion: what cannot be. Prints the sentence and aborts.
void ensure(bool condition, std::string_view what,
            std::source_location where = std::source_location::current());

}  // namespace fanfare
