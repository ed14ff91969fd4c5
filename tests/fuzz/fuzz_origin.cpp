// Any text is a URL of a server, or none; what of it stands in a request is one word. So is a
// connection string, of which the password is never shown.
#include "core/domain/this_machine.hpp"
#include "core/error/failure.hpp"
#include "core/http/origin.hpp"
#include "core/postgres/address.hpp"
#include "core/settings/text_rules.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace fanfare;

bool is_one_word(std::string_view text) {
    return text.find_first_of(" \t\r\n") == std::string_view::npos;
}

void try_url(std::string_view text) {
    const auto origin = read_origin(text);
    const bool is_base = is_base_url(text, false);
    static_cast<void>(is_authority_here(text));
    ensure(!is_base || is_base_url(text, true), "a base over TLS is one anywhere");
    if (!origin) return;
    const auto again = read_origin(origin->url);
    ensure(
        again && again->host == origin->host && again->port == origin->port && is_of(text, *origin),
        "an origin is its own");
    ensure(!origin->host.empty() && !origin->port.empty(), "a server has a name and a port");
    ensure(is_one_word(origin->authority), "a name is one word");
    std::string target;
    ensure(!write_target(text, *origin, target) || (target.starts_with('/') && is_one_word(target)),
           "a target is one word");
}

void try_connection(std::string_view text) {
    const auto address = postgres::parse_address(Secret{std::string{text}});
    ensure(address.text().find('\n') == std::string::npos, "an address is one line");
    constexpr std::string_view password = "s3cr3t-that-nobody-types";
    const auto with =
        postgres::parse_address(Secret{std::string{text} + " password=" + std::string{password}});
    if (text.find(password) != std::string_view::npos || !text.starts_with("host=")) return;
    if (text.find_first_of("'\\") != std::string_view::npos) return;
    ensure(with.text().find(password) == std::string::npos, "a password is never shown");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text{reinterpret_cast<const char*>(bytes + 1), size - 1};
    if (bytes[0] % 2 == 0) {
        try_url(text);
    } else {
        try_connection(text);
    }
    return 0;
}
