#pragma once

#include "cli/audit_book.hpp"
#include "core/reference/reference.hpp"
#include "core/wire/csv_reader.hpp"

#include <array>
#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A provider's log as CSV, beside a job.
namespace fanfare::cli {

/// What the log is of, as it was typed and as the ledger has the job.
struct LogRules {
    std::string job;                    // Lower case.
    std::optional<Channel> channel;     // Only this one; what is of another is left alone.
    std::optional<Channel> usual;       // Of rows that name none; nothing: they must.
    std::vector<std::string> accepted;  // Words of the column `status` that count, lower case;
                                        // none: every row does.
    const References* references = nullptr;
};

/// How many rows said what.
struct LogCounts {
    std::uint64_t rows = 0;    // Below the heading.
    std::uint64_t of_job = 0;  // Noted, strangers among them.
    std::uint64_t others = 0;  // Of other jobs, of none, or of ids that the ledger does not know.
    std::uint64_t uncounted = 0;  // Of another status.
    std::uint64_t unproven = 0;   // Name the job by a reference that was not made here.
};

/// Any spelling in which a reference travels as "<job>.<chunk>.<position>[.<tag>]": that itself, in
/// the compact form, with '_' in place of its dots, as a Message-ID; or its first half, of which
/// `person` is the second. What is none of these stays as it is. Pure.
[[nodiscard]] std::string whole_reference(std::string_view text, std::string_view person);

/// Without blanks at its ends, A-Z as a-z.
[[nodiscard]] std::string lowered(std::string_view text);

/// Reads one log. The heading names its columns, in any order and in any case: `reference`, or
/// `recipient`, or `message_id`, of which the first one counts; and where there are any `person`,
/// `job`, `channel`, `device`, `status`.
///
/// Bounds    one record of at most 64 KiB in memory.
/// Threads   one.
class AuditLog {
public:
    AuditLog(std::istream& in, LogRules rules) : reader_{in}, rules_{std::move(rules)} {}

    /// Notes every accepted message of the job; adds to `counts`. What is wrong, with its line and
    /// column and how to mend it; "" where nothing is.
    [[nodiscard]] std::string read(AuditBook& book, LogCounts& counts);

private:
    enum Column : std::uint8_t {
        reference_at,
        recipient_at,
        message_id_at,
        person_at,
        job_at,
        channel_at,
        device_at,
        status_at,
        column_count
    };
    using Fields = std::vector<std::string>;

    [[nodiscard]] std::string read_heading(const Fields& heading);
    [[nodiscard]] std::string read_row(const Fields& row, AuditBook& book, LogCounts& counts);
    [[nodiscard]] std::string find_channel(const Fields& row, std::optional<Channel>& found) const;
    [[nodiscard]] bool counts_as_accepted(const Fields& row) const;
    void note_reference(const Fields& row, std::optional<Channel> channel, AuditBook& book,
                        LogCounts& counts) const;
    [[nodiscard]] std::optional<Reference> read_reference(std::string_view text,
                                                          std::optional<Channel> channel) const;
    [[nodiscard]] std::string_view field(const Fields& row, Column column) const;
    [[nodiscard]] std::string at(Column column) const;

    CsvReader reader_;
    LogRules rules_;
    std::array<std::optional<std::size_t>, column_count> columns_;
    std::array<std::string, column_count> spelt_;
    Column key_ = reference_at;
};

}  // namespace fanfare::cli
