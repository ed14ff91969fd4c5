// Any bytes are a form or none.
#include "producer/http/text.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace fanfare;
    static_cast<void>(parse_form({reinterpret_cast<const char*>(bytes), size}));
    return 0;
}
