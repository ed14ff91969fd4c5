// Any text gives settings or problems that each have a place; nothing else. What a system that was
// read asks its database for is one statement, however it was put together.
#include "core/error/failure.hpp"
#include "core/systems/query.hpp"
#include "core/systems/system.hpp"

#include <algorithm>
#include <cstdint>
#include <variant>

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

void check_queries(const fanfare::System& system) {
    using namespace fanfare;
    for (const auto& [name, audience] : system.audiences) {
        ensure(system.find_audience(name) == &audience, "an audience is found by its name");
        const auto& asked = audience.query.parameters;
        const auto values = audience.values({});
        ensure(values.size() == asked.size() && std::count(values.begin(), values.end(), nullptr) ==
                                                    static_cast<std::ptrdiff_t>(asked.size()),
               "who is given nothing asks with nothing");
        ensure(audience.owner.empty() ||
                   std::find(asked.begin(), asked.end(), audience.owner) != asked.end(),
               "an owner is a parameter");
        ensure(!audience.is_everybody_of_an_owner() || !audience.owner.empty(),
               "nobody's people have no owner");
    }
    for (const auto& contact : system.contacts) {
        if (!contact || contact->relation.empty()) continue;
        const auto bound = bind_parameters(contacts_where(contact->relation, "a = :b"));
        const auto* const query = std::get_if<BoundQuery>(&bound);
        ensure(query != nullptr && query->parameters.size() == 1,
               "a query that is cut down stays one statement");
    }
    ensure(!system.writes_back() || !system.done.empty() ||
               std::any_of(system.write_backs.begin(), system.write_backs.end(),
                           [](const auto& query) { return query.has_value(); }),
           "who writes back has a statement");
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
    const auto system = parse_system("fuzz/fuzz/system.yaml", text, environment);
    check(system);
    if (const auto* const read = std::get_if<System>(&system)) check_queries(*read);
    return 0;
}
