#pragma once

namespace fanfare {

/// "0.1.0 (49257b5)": with the commit it was built of, and "+" where files were changed since;
/// without it where nobody knows.
[[nodiscard]] const char* version() noexcept;

}  // namespace fanfare
