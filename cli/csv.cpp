#include "cli/csv.hpp"

#include <string_view>

namespace fanfare::cli {
namespace {

constexpr std::size_t record_bytes_max = 64 * 1024;

}  // namespace

bool CsvReader::fail(std::string fault) {
    fault_ = std::move(fault);
    return false;
}

bool CsvReader::next(std::vector<std::string>& fields) {
    while (fault_.empty() && in_.peek() != std::istream::traits_type::eof()) {
        line_ = lines_read_ + 1;
        if (!read_record(fields)) return false;
        if (fields.size() > 1 || !fields[0].empty()) return true;
    }
    return false;
}

bool CsvReader::read_record(std::vector<std::string>& fields) {
    fields.assign(1, {});
    bool quoted = false;  // Inside of quotes now.
    bool closed = false;  // The field was in quotes, which have ended.
    std::size_t bytes = 0;
    for (int c = in_.get(); c != std::istream::traits_type::eof(); c = in_.get()) {
        const char letter = static_cast<char>(c);
        auto& field = fields.back();
        if (++bytes > record_bytes_max) return fail("a record of more than 64 KiB");
        if (letter == '\n') ++lines_read_;
        if (quoted) {
            if (letter != '"') {
                field.push_back(letter);
            } else if (in_.peek() == '"') {
                field.push_back(static_cast<char>(in_.get()));
            } else {
                quoted = false;
                closed = true;
            }
        } else if (letter == '\n') {
            if (fields.back().ends_with('\r') && !closed) fields.back().pop_back();
            return true;
        } else if (letter == ',') {
            fields.emplace_back();
            closed = false;
        } else if (letter == '"' && field.empty() && !closed) {
            quoted = true;
        } else if (letter == '\r' && closed) {
            continue;
        } else if (closed || letter == '"') {
            return fail("a quote in the middle of a field; put the field in quotes and double it");
        } else {
            field.push_back(letter);
            constexpr std::string_view mark = "\xEF\xBB\xBF";
            if (line_ == 1 && fields.size() == 1 && field == mark) field.clear();
        }
    }
    if (quoted) return fail("a quote that is never closed");
    return true;
}

}  // namespace fanfare::cli
