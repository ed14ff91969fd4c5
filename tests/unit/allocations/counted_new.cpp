#include "tests/unit/allocations/counted_new.hpp"

#include <cstdlib>
#include <new>

// The linker gives every aligned_alloc() of the program here (--wrap): Asio's coroutines call it.
// NOLINTBEGIN: the linker's names.
extern "C" void* __real_aligned_alloc(std::size_t alignment, std::size_t size);
extern "C" void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size);
// NOLINTEND

namespace {

thread_local std::size_t count = 0;

void* counted(std::size_t size, std::size_t alignment) {
    ++count;
    void* const memory = alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__
                             ? std::malloc(size == 0 ? 1 : size)
                             : __real_aligned_alloc(alignment, (size / alignment + 1) * alignment);
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
}

}  // namespace

std::size_t fanfare::test::allocations() noexcept { return count; }

void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) {
    ++count;
    return __real_aligned_alloc(alignment, size);
}

// The others of the standard library call these.
void* operator new(std::size_t size) { return counted(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
