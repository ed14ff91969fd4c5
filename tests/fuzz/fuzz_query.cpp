// Any text is bound or refused. What was bound holds no second statement of ours to see:
// bound once more, its own "$1" is refused or there was no parameter.
#include "core/error/failure.hpp"
#include "core/systems/query.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace fanfare;
    const auto bound = bind_parameters({reinterpret_cast<const char*>(bytes), size});
    if (const auto* query = std::get_if<BoundQuery>(&bound)) {
        const bool again = std::holds_alternative<BoundQuery>(bind_parameters(query->sql));
        ensure(again == query->parameters.empty(), "a bound query is bound once");
    }
    return 0;
}
