#pragma once

#include <cstddef>
#include <istream>
#include <string>
#include <vector>

namespace fanfare::cli {

/// Reads CSV (RFC 4180): fields in quotes may hold commas, line ends and doubled quotes. Empty
/// lines are left out, a byte order mark is too.
///
/// Bounds    64 KiB a record.
class CsvReader {
public:
    explicit CsvReader(std::istream& in) : in_{in} {}

    /// The next record; false at the end or at a fault.
    [[nodiscard]] bool next(std::vector<std::string>& fields);
    /// Where the last record began, counted from 1.
    [[nodiscard]] std::size_t line() const noexcept { return line_; }
    /// What is wrong with it; "" when nothing is.
    [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

private:
    [[nodiscard]] bool read_record(std::vector<std::string>& fields);
    [[nodiscard]] bool fail(std::string fault);

    std::istream& in_;
    std::size_t line_ = 0;
    std::size_t lines_read_ = 0;
    std::string fault_;
};

}  // namespace fanfare::cli
