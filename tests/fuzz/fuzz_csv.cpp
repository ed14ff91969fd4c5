// Any bytes are records or a fault with its line, and the reader ends. Records written as CSV come
// back as they were.
#include "core/error/failure.hpp"
#include "core/wire/csv.hpp"
#include "core/wire/csv_reader.hpp"

#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Records = std::vector<std::vector<std::string>>;

Records read_csv(const std::string& text, std::string& fault) {
    std::istringstream in{text};
    fanfare::CsvReader reader{in};
    Records records;
    std::size_t before = 0;
    for (std::vector<std::string> fields; reader.next(fields);) {
        fanfare::ensure(!fields.empty(), "a record has a field");
        fanfare::ensure(reader.line() > before, "records have lines of their own");
        before = reader.line();
        records.push_back(fields);
    }
    fault = reader.fault();
    return records;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    std::string fault;
    const auto records = read_csv({reinterpret_cast<const char*>(bytes), size}, fault);
    if (!fault.empty()) return 0;
    // A first line of several fields says which sign parts them.
    std::string written{"a,b\n"};
    for (const auto& fields : records) {
        for (const auto& field : fields) {
            fanfare::append_csv(field, written);
            written += ',';
        }
        written += "x\n";
    }
    auto again = read_csv(written, fault);
    // Quotes and guards can make what is written the larger one.
    if (!fault.empty()) return 0;
    fanfare::ensure(again.size() == records.size() + 1, "as many records as were written");
    for (std::size_t i = 0; i < records.size(); ++i) {
        auto wanted = records[i];
        wanted.emplace_back("x");
        fanfare::ensure(again[i + 1] == wanted, "a record comes back");
    }
    return 0;
}
