// Any bytes are a form or none, and a body of an unsubscribe link or none.
#include "producer/http/text.hpp"
#include "producer/unsubscribe/page.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace fanfare;
    HttpCall call;
    call.body.assign(reinterpret_cast<const char*>(bytes), size);
    static_cast<void>(parse_form(call.body));
    static_cast<void>(asks_one_click(call));
    const auto line = call.body.substr(0, call.body.find('\n'));
    call.headers = {{"Content-Type", "multipart/form-data; boundary=" + line}};
    static_cast<void>(asks_one_click(call));
    return 0;
}
