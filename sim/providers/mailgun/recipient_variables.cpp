#include "sim/providers/mailgun/recipient_variables.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <limits>
#include <string>

namespace fanfare::sim {

namespace {

namespace json = boost::json;
using boost::system::error_code;

/// Follows the depth and looks at the keys of the outermost object.
struct Scan {
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = max_object_size;
    static constexpr std::size_t max_key_size = max_object_size;
    static constexpr std::size_t max_string_size = max_object_size;

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) { return ++depth != 0; }
    bool on_object_end(std::size_t, error_code&) { return --depth >= 0; }
    bool on_array_begin(error_code& error) { return inner(error); }
    bool on_array_end(std::size_t, error_code&) { return true; }
    bool on_key_part(json::string_view part, std::size_t, error_code&) {
        if (depth == 1) partial.append(part.data(), part.size());
        return true;
    }
    bool on_key(json::string_view last, std::size_t, error_code&) {
        if (depth != 1) return true;
        found.empty = false;
        std::string_view key{last.data(), last.size()};
        if (!partial.empty()) key = partial.append(key);
        if (table.mark(key)) ++found.entries;
        partial.clear();
        return true;
    }
    bool on_string_part(json::string_view, std::size_t, error_code& e) { return inner(e); }
    bool on_string(json::string_view, std::size_t, error_code& e) { return inner(e); }
    bool on_number_part(json::string_view, error_code& e) { return inner(e); }
    bool on_int64(std::int64_t, json::string_view, error_code& e) { return inner(e); }
    bool on_uint64(std::uint64_t, json::string_view, error_code& e) { return inner(e); }
    bool on_double(double, json::string_view, error_code& e) { return inner(e); }
    bool on_bool(bool, error_code& e) { return inner(e); }
    bool on_null(error_code& e) { return inner(e); }
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }

    // Anything but an object is allowed only inside an entry.
    bool inner(error_code& error) const {
        if (depth >= 2) return true;
        error = json::error::syntax;
        return false;
    }

    AddressTable& table;
    VariablesFound& found;
    int depth = 0;
    std::string partial{};
};

}  // namespace

VariablesFound scan_recipient_variables(std::string_view text, AddressTable& table) {
    VariablesFound found;
    json::basic_parser<Scan> parser{json::parse_options{}, Scan{table, found}};
    error_code error;
    const auto used = parser.write_some(false, text.data(), text.size(), error);
    found.valid = !error && text.substr(used).find_first_not_of(" \t\r\n") == text.npos;
    return found;
}

}  // namespace fanfare::sim
