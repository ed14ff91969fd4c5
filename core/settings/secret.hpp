#pragma once

#include <string>
#include <utility>

namespace fanfare {

/// A value that must not be seen: no stream, no formatter, no comparison. Reading it is
/// a visible act in the code: secret.reveal().
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : value_{std::move(value)} {}
    [[nodiscard]] const std::string& reveal() const noexcept { return value_; }
    [[nodiscard]] bool empty() const noexcept { return value_.empty(); }

private:
    std::string value_;
};

}  // namespace fanfare
