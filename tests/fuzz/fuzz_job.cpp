// Any bytes give a job that survives encoding, or a rejection; nothing else.
#include "core/error/failure.hpp"
#include "core/wire/job.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace fanfare;
    const auto decoded = decode_job({reinterpret_cast<const char*>(bytes), size});
    if (const auto* job = std::get_if<Job>(&decoded)) {
        const auto again = decode_job(encode_job(*job));
        // Escapes can make the encoded form the larger one.
        const auto* const rejection = std::get_if<Rejection>(&again);
        ensure(rejection != nullptr ? rejection->code == "too_large" : std::get<Job>(again) == *job,
               "a decoded job comes back from its own bytes");
    }
    return 0;
}
