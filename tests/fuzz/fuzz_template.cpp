// Any template is refused with a place, or renders within its bounds; a value never becomes text
// of the template. The first line is the value, the rest the template.
#include "core/error/failure.hpp"
#include "core/rendering/templates.hpp"

#include <array>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace fanfare;
    const std::string text{reinterpret_cast<const char*>(bytes), size};
    const auto line = text.find('\n');
    const auto value = text.substr(0, line);
    const auto body = line == std::string::npos ? std::string{} : text.substr(line + 1);
    const std::array<TemplateSource, 3> sources{{{"k/email.subject.mustache", "{{title}}"},
                                                 {"k/email.text.mustache", body},
                                                 {"k/email.html.mustache", body}}};
    const auto parsed = Templates::parse(sources);
    if (const auto* const problems = std::get_if<Problems>(&parsed)) {
        ensure(!problems->empty(), "a refusal says why");
        return 0;
    }
    const auto& templates = std::get<Templates>(parsed);
    const std::array<std::string, 1> personal{"name"};
    const auto content =
        templates.render("k", Channel::email, "de", {{"title", value}, {"a", value}}, personal);
    if (!content) return 0;
    const std::string_view name{value};
    std::string html;
    write_text(content.value().html, &name, html);
    const bool has_script = html.find("<script") != std::string::npos;
    ensure(!has_script || body.find("<script") != std::string::npos, "no value opens a tag");
    return 0;
}
