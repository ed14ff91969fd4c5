#include "cli/contact_advice.hpp"

#include <fmt/format.h>

namespace fanfare::cli {

Problems contact_advice(const System& system) {
    Problems advice;
    for (const auto channel : channels) {
        const auto& contact = system.contacts[static_cast<std::size_t>(channel)];
        if (!contact || !contact->relation.empty()) continue;
        advice.push_back({contact->query.file, contact->query.line,
                          fmt::format("contacts.{}", to_string(channel)), ":recipients",
                          "a query of everybody, without :recipients: that one is asked by ranges "
                          "of an index, which is faster (docs/systems.md)",
                          0});
    }
    return advice;
}

}  // namespace fanfare::cli
