#include "core/postgres/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace fanfare::postgres {
namespace {

struct Words {
    std::string_view state;  // Five characters, or two for all of a class.
    std::string_view meaning;
};

// The first that fits; a class behind its members.
constexpr std::array<Words, 55> all_words{{
    {"0A000", "asks for what this PostgreSQL cannot do"},
    {"22001", "a text is too long for its column"},
    {"22003", "a number is out of the range of its type"},
    {"22007", "a text is no moment: see which value is cast to a date or a time"},
    {"22008", "a moment is out of range"},
    {"22012", "divides by zero"},
    {"22021", "a text is not valid in the database's encoding"},
    {"22P02", "a text does not have the form of the type it is cast to"},
    {"22P05", "a character does not exist in the other encoding"},
    {"22", "a value does not fit where it is used"},
    {"23502", "a column that must have a value would have none"},
    {"23503", "refers to a row that is not there"},
    {"23505", "a duplicate key: the row is there already"},
    {"23514", "a row breaks a CHECK of its table"},
    {"23", "a constraint refuses the row"},
    {"25006", "writes where only reading is allowed: a read-only query, user or standby"},
    {"25P02", "goes on in a transaction that has failed"},
    {"25P03", "its transaction was idle for too long"},
    {"28", "the database refuses the user or the password"},
    {"3D000", "there is no such database"},
    {"3F000", "there is no such schema"},
    {"40001", "met another change of the same rows: run it again"},
    {"40P01", "a deadlock with another change: run it again"},
    {"42501", "the database's user may not do this: GRANT it"},
    {"42601", "is no SQL"},
    {"42702", "names a column that stands in two tables: say which"},
    {"42703", "names a column that is not there"},
    {"42704", "names a type, role or setting that is not there"},
    {"42725", "names a function of which several fit: cast its arguments"},
    {"42803", "uses a column that is neither grouped nor aggregated"},
    {"42804", "compares or stores values of types that do not match: cast one of them"},
    {"42846", "casts to a type that this value cannot have"},
    {"42883", "uses a function or an operator that does not exist for these types: cast them"},
    {"42P01", "names a table that is not there"},
    {"42P02", "names a parameter that is not there"},
    {"42P18", "has a parameter whose type nobody can tell: cast it"},
    {"42", "is not understood"},
    {"53100", "the database's disk is full"},
    {"53200", "the database is out of memory"},
    {"53300", "the database has no connection to spare"},
    {"53", "the database is short of something"},
    {"54", "goes beyond a limit of PostgreSQL"},
    {"55P03", "waited for a lock for too long"},
    {"55", "something is not in the state that this needs"},
    {"57014", "took longer than the statement timeout, or was cancelled"},
    {"57P01", "the database shut the connection"},
    {"57P02", "the database crashed and comes back"},
    {"57P03", "the database is starting or shutting down"},
    {"57", "the database's operator stepped in"},
    {"58", "the database has trouble with its disk or its system: see its own log"},
    {"P0001", "a function or a trigger of the database refused it"},
    {"P0", "a function of the database failed"},
    {"XX", "PostgreSQL met an error inside itself: see its own log"},
    {"08", "the connection broke"},
    {"", "the database gave no reason"},
}};

// What libpq and the server write when they refuse a connection, in lower case.
constexpr std::array<Words, 17> refusals{{
    {"could not translate host name", "its host's name is unknown"},
    {"connection refused", "nobody listens there"},
    {"no such file or directory", "nobody listens on that socket"},
    {"timeout expired", "no answer in time"},
    {"timed out", "no answer in time"},
    {"no route to host", "there is no way to the host"},
    {"network is unreachable", "there is no way to the host"},
    {"password authentication failed", "the user or the password is refused"},
    {"no password supplied", "a password is needed, and there is none"},
    {"no pg_hba.conf entry", "its pg_hba.conf does not let us in"},
    {"too many", "it has no connection to spare"},
    {"connection slots", "it has no connection to spare"},
    {"starting up", "it is starting"},
    {"shutting down", "it is shutting down"},
    {"certificate", "its certificate is not what sslmode asks for"},
    {"ssl", "it does not do TLS as sslmode asks for"},
    {"does not exist", "there is no such user or database"},
}};

}  // namespace

int line_in(std::string_view message) {
    constexpr std::string_view mark = "\nLINE ";
    const auto at = message.find(mark);
    int line = 0;
    if (at != std::string_view::npos) {
        const auto number = message.substr(at + mark.size());
        std::from_chars(number.data(), number.data() + number.size(), line);
    }
    return line;
}

std::string words_of_state(std::string_view state, std::string_view message) {
    const auto* const found =
        std::find_if(all_words.begin(), all_words.end(), [state](const Words& words) {
            return state.empty() ? words.state.empty()
                                 : !words.state.empty() && state.starts_with(words.state);
        });
    const std::string_view meaning =
        found == all_words.end() ? "the database refused it" : found->meaning;
    if (state.empty()) return std::string{meaning};
    const int line = state.starts_with("42") ? line_in(message) : 0;
    if (line == 0) return fmt::format("{} (SQLSTATE {})", meaning, state);
    return fmt::format("{}, line {} (SQLSTATE {})", meaning, line, state);
}

std::string_view words_of_refusal(std::string_view text) {
    std::string lower{text};
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    for (const auto& [mark, meaning] : refusals) {
        if (lower.find(mark) != std::string::npos) return meaning;
    }
    return "it cannot be reached";
}

}  // namespace fanfare::postgres
