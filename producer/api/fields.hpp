#pragma once

#include "core/wire/job_json.hpp"
#include "producer/http/exchange.hpp"

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::api {

/// The members of a body that is one JSON object. The first fault stands: what is read after it
/// means nothing. No member may be null.
class Fields {
public:
    Fields(std::string_view body, std::initializer_list<std::string_view> known);

    /// Plain text of 1 to `bytes_max` bytes; must be there.
    [[nodiscard]] std::string text(std::string_view name, std::size_t bytes_max);
    /// The same, or "" where it is absent and may be. There and empty it is refused: what it
    /// narrows would be about everything.
    [[nodiscard]] std::string text_if_there(std::string_view name, std::size_t bytes_max);
    [[nodiscard]] std::string text_or(std::string_view name, std::size_t bytes_max,
                                      std::string_view fallback);
    /// ISO 8601 with a zone, as format_timestamp() writes it; "" where it is absent and may be.
    [[nodiscard]] std::string moment(std::string_view name, bool required);
    [[nodiscard]] std::int64_t whole_or(std::string_view name, std::int64_t min, std::int64_t max,
                                        std::int64_t fallback);
    [[nodiscard]] std::optional<double> real_if_there(std::string_view name, double min,
                                                      double max);
    /// An object of scalars; empty where absent.
    [[nodiscard]] std::map<std::string, std::string> scalars(std::string_view name);

    [[nodiscard]] const JsonValue* find(std::string_view name) const;
    /// What stands against the body: 400, 413 or 422.
    [[nodiscard]] const std::optional<HttpReply>& fault() const noexcept { return fault_; }

private:
    [[nodiscard]] std::string plain(std::string_view name, std::size_t bytes_min,
                                    std::size_t bytes_max, std::string_view fallback);
    void refuse(std::string_view code, std::string_view name, std::string_view sentence);

    JsonValue root_;
    std::optional<HttpReply> fault_;
};

/// What stands against the body of a call that takes none, or an object without members.
[[nodiscard]] std::optional<HttpReply> fault_of_empty(const HttpCall& call);

}  // namespace fanfare::api
