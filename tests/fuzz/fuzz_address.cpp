// Any text is an address or none. One that is sent to is sendable, and read again it is the same;
// so is the form that addresses are compared in. The first byte chooses channel and plus.
#include "core/audience/address.hpp"
#include "core/audience/clean.hpp"
#include "core/error/failure.hpp"

#include <array>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace fanfare;
    if (size == 0) return 0;
    constexpr std::array plusses{Plus::needed, Plus::north_american, Plus::optional};
    const auto channel = static_cast<Channel>(bytes[0] % channel_count);
    const auto plus = plusses[bytes[0] / channel_count % plusses.size()];
    const std::string text{reinterpret_cast<const char*>(bytes + 1), size - 1};
    std::string sent;
    const auto fault = read_address(channel, text, sent, plus);
    if (fault == AddressFault::none) {
        ensure(address_is_sendable(channel, sent), "what is read can be sent to");
        std::string again;
        ensure(read_address(channel, sent, again) == AddressFault::none && again == sent,
               "what is sent to is read as it is");
        const auto compared = compared_form(channel, sent);
        ensure(compared == find_compared_form(channel, text, plus), "one form to compare");
        ensure(compared_form(channel, compared) == compared, "compared once is compared");
        ensure(compared_form(channel, former_form(channel, sent)) == compared,
               "the version before knows the same people");
    } else {
        ensure(!describe(fault).empty(), "a refusal says why");
    }
    if (const auto box = parse_mailbox(text)) {
        ensure(address_is_sendable(Channel::email, box->address), "a sender can be written");
        ensure(box->name.find_first_of("\r\n") == std::string_view::npos, "a name is one line");
    }
    const auto seen = without_unseen_around(text);
    ensure(without_unseen_around(seen) == seen, "what is seen is seen again");
    if (const auto clean = cleaned(text)) {
        ensure(cleaned(*clean) == clean, "cleaned once is clean");
    }
    return 0;
}
