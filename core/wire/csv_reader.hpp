#pragma once

#include <cstddef>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// Reads CSV (RFC 4180) as spreadsheets and scripts write it: UTF-8 or UTF-16 (which says so by its
/// byte order mark), lines that end in LF, CRLF, CR or Unicode's ends (NEL, LS, PS), fields between
/// commas, semicolons or tabs, whichever the first line has, or what a line "sep=;" before it says,
/// as Excel writes it. Fields in quotes may hold all of these and doubled quotes. Empty
/// lines are left out, and so is the apostrophe that append_csv() puts before a formula.
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
    enum class Encoding : unsigned char { utf8, utf16_little, utf16_big };

    [[nodiscard]] bool read_record(std::vector<std::string>& fields);
    [[nodiscard]] bool fail(std::string fault);
    void begin();
    void find_separator();
    [[nodiscard]] bool read_named_separator();
    /// More bytes into `ahead_`; false at the end.
    [[nodiscard]] bool fill();
    void decode_utf16();
    [[nodiscard]] bool has() { return at_ < ahead_.size() || fill(); }
    [[nodiscard]] bool has(char c) { return has() && ahead_[at_] == c; }
    [[nodiscard]] bool has(std::string_view bytes);
    /// The rest of a line end of several bytes, of which the first has been read.
    [[nodiscard]] std::string_view rest_of_line_end(char first);

    std::istream& in_;
    Encoding encoding_ = Encoding::utf8;
    char separator_ = ',';
    bool begun_ = false;
    std::string raw_;    // As it came, not yet decoded.
    std::string ahead_;  // Decoded; used up to `at_`.
    std::size_t at_ = 0;
    std::size_t line_ = 0;
    std::size_t lines_read_ = 0;
    std::string fault_;
};

}  // namespace fanfare
