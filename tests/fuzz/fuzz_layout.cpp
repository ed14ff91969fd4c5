// Any message given as a layout and strings is written out as templates, or has problems that each
// have a file. Lines "---" part layout, message.yaml, the message's strings and the shared ones.
#include "core/error/failure.hpp"
#include "core/rendering/layout.hpp"
#include "core/rendering/templates.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace fanfare;
    std::string rest{reinterpret_cast<const char*>(bytes), size};
    std::array<std::string, 4> parts;
    for (auto& part : parts) {
        const auto end = rest.find("\n---\n");
        part = rest.substr(0, end);
        rest = end == std::string::npos ? std::string{} : rest.substr(end + 5);
    }
    const auto& [layout, message, strings, shared] = parts;
    const std::vector<TemplateSource> files{{"_layout/plain.text.mustache", layout},
                                            {"_layout/plain.html.mustache", layout},
                                            {"_layout/en.yaml", shared},
                                            {"k/message.yaml", message},
                                            {"k/en.yaml", strings}};
    Problems problems;
    const auto expanded = expand_messages(files, "fuzz", problems);
    for (const auto& problem : problems) {
        ensure(!problem.file.empty() && !problem.expected.empty(), "a problem has a place");
    }
    if (!problems.empty()) return 0;
    const auto parsed = Templates::parse(expanded, "fuzz");
    if (const auto* const found = std::get_if<Problems>(&parsed)) {
        ensure(!found->empty(), "a refusal says why");
    }
    return 0;
}
