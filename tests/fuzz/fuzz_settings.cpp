// Any text gives settings or problems that each have a place; nothing else.
#include "core/error/failure.hpp"
#include "core/systems/system.hpp"

#include <cstdint>

namespace {

template <class Loaded>
void check(const std::variant<Loaded, fanfare::Problems>& loaded) {
    const auto* const problems = std::get_if<fanfare::Problems>(&loaded);
    if (problems == nullptr) return;
    fanfare::ensure(!problems->empty(), "a refusal has a problem");
    for (const auto& problem : *problems) {
        fanfare::ensure(!problem.key.empty() && !problem.expected.empty(), "a problem has a place");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace fanfare;
    const std::string_view text{reinterpret_cast<const char*>(bytes), size};
    // Every variable has a value, so that the file alone decides; none is a file's name.
    const Environment environment = [](const std::string& name) -> std::optional<std::string> {
        if (name.starts_with("FANFARE_") && name != "FANFARE_DATABASE_URL") return std::nullopt;
        return "dbname=fuzz";
    };
    check(parse_settings("fuzz/fanfare.yaml", text, environment));
    check(parse_system("fuzz/fuzz/system.yaml", text, environment));
    return 0;
}
