#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fanfare::cli {

/// A job as a person types it. What is given and empty is a fault: never everybody, or for ever.
struct JobFlags {
    std::optional<std::string> system{};
    std::optional<std::string> kind{};
    std::optional<std::string> subject{};
    std::optional<std::string> audience{};
    std::vector<std::string> params{};         // "name=value"
    std::optional<std::string> recipients{};   // "a,b,c", or a file
    std::vector<std::string> recipient{};      // One id each.
    std::vector<std::string> recipient_ids{};  // Those of a file, beside these.
    std::vector<std::string> channels{};       // Each may hold commas.
    std::optional<std::string> lane{};
    std::vector<std::string> data{};  // "name=value"
    std::optional<std::string> key{};
    std::optional<std::string> expires_at{};
    std::optional<std::int64_t> ttl_s{};
};

/// Why flags are no job.
struct FlagFault {
    std::string sentence;
};

/// The JSON message of a job. What is not given is left out: the kind's defaults count.
[[nodiscard]] std::variant<std::string, FlagFault> job_message(const JobFlags& flags);

/// Whether an argument of --recipients is a list of ids: then it has a comma. Anything else is a
/// file: one id alone is given as --recipient, so that no mistyped file becomes a person.
[[nodiscard]] bool lists_ids(const std::string& argument);

/// The ids of a file: the column that its heading calls so, or else the first of each line.
[[nodiscard]] std::variant<std::vector<std::string>, FlagFault> read_recipients(std::istream& in);

/// "a, b\nc" -> a, b, c: split at commas and line ends of any kind, without what nobody sees around
/// them, empty ones dropped.
[[nodiscard]] std::vector<std::string> split_list(const std::string& text);

}  // namespace fanfare::cli
