// Any bytes are a request, the beginning of one, or are refused.
#include "core/web/body.hpp"
#include "core/web/head.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fanfare;
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    HeadFinder finder;
    const auto found = finder.look(bytes);
    const auto* const end = std::get_if<std::size_t>(&found);
    if (end == nullptr || *end == 0) return 0;
    const auto head = read_head(bytes.substr(0, *end));
    const auto* const request = std::get_if<RequestHead>(&head);
    if (request == nullptr) return 0;
    constexpr std::size_t body_max = 1'000;
    BodyReader body{*request, body_max};
    auto rest = bytes.substr(*end);
    if (!body.take(rest) && body.is_whole() && body.body().size() > body_max) std::abort();
    return 0;
}
