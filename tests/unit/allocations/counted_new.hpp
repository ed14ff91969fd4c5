#pragma once

#include <cstddef>

namespace fanfare::test {

/// How often this thread took memory from the heap since it began. The program's operator new and
/// its calls of aligned_alloc() count; what C libraries take by malloc() does not.
[[nodiscard]] std::size_t allocations() noexcept;

/// Of what `work(count)` takes from the heap, so much for one more: what twice as many take beyond
/// what half of them do. What a chunk or a connection takes once does not count.
template <class Work>
[[nodiscard]] double for_one_more(std::size_t count, Work work) {
    const auto taken_by = [&work](std::size_t some) {
        const auto before = allocations();
        work(some);
        return static_cast<double>(allocations() - before);
    };
    // Threads' buffers, tables of locales and room for bodies are there from now on.
    for (int i = 0; i < 4; ++i) taken_by(2 * count);
    const auto half = taken_by(count);
    return (taken_by(2 * count) - half) / static_cast<double>(count);
}

}  // namespace fanfare::test
