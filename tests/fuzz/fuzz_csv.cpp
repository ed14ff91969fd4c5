// Any bytes are records or a fault with its line, and the reader ends. Records written as CSV come
// back as they were. Where a block of the file ends makes no difference.
#include "core/error/failure.hpp"
#include "core/wire/csv.hpp"
#include "core/wire/csv_reader.hpp"

#include <cstdint>
#include <numeric>
#include <sstream>
#include <string>
#include <string_view>
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

/// The same text behind a short record, and behind one so long that a block of the file ends within
/// the text.
void try_across_blocks(std::string_view text, bool is_utf16) {
    using namespace std::string_view_literals;
    const auto read_behind = [&](std::size_t bytes, std::string& fault) {
        std::string file{is_utf16 ? "\xFF\xFE\x61\0,\0"sv : "a,"sv};
        while (file.size() < bytes) file += is_utf16 ? "b\0"sv : "b"sv;
        file += is_utf16 ? "\n\0"sv : "\n"sv;
        auto records = read_csv(file.append(text), fault);
        records.erase(records.begin());
        return records;
    };
    constexpr std::size_t block_bytes = std::size_t{64} * 1024;
    std::string fault;
    const auto records = read_behind(0, fault);
    std::string other_fault;
    const bool is_same = read_behind(block_bytes - text.size() / 2 - 2, other_fault) == records;
    fanfare::ensure(is_same && other_fault == fault, "a block ends anywhere");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string text{reinterpret_cast<const char*>(bytes), size};
    // A block takes as long as hundreds of inputs: one of 64 is tried so.
    const auto sum = std::accumulate(bytes, bytes + size, 0U);
    if (size > 0 && size <= 4'096 && sum % 64 == 0) {
        for (const bool is_utf16 : {false, true}) try_across_blocks(text, is_utf16);
    }
    std::string fault;
    const auto records = read_csv(text, fault);
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
