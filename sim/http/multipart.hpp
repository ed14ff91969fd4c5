#pragma once

#include <string_view>
#include <vector>

namespace fanfare::sim {

/// One part of multipart/form-data, as views into the body.
struct Part {
    std::string_view name;
    std::string_view value;
    bool is_file = false;
};

/// The boundary of a Content-Type "multipart/form-data; boundary=..."; "" when there is none.
[[nodiscard]] std::string_view multipart_boundary(std::string_view content_type) noexcept;

/// Cuts a body into parts. False when it is not well formed to its closing delimiter.
[[nodiscard]] bool parse_multipart(std::string_view body, std::string_view boundary,
                                   std::vector<Part>& parts);

}  // namespace fanfare::sim
