#pragma once

#include <cstddef>

namespace fanfare::test {

/// How often this thread took memory from the heap since it began. The program's operator new
/// counts; what C libraries take by malloc() is not counted.
[[nodiscard]] std::size_t allocations() noexcept;

}  // namespace fanfare::test
