#include "core/rendering/program.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare {
namespace {

bool is_whole_audience(std::string_view name) {
    return std::ranges::find(whole_audience_variables, name) != whole_audience_variables.end();
}

/// "{{name}}" or "{{#name}}".
std::string to_tag(const Program::Step& step, std::span<const std::string> names) {
    const std::string_view sign = step.verb == Program::Verb::section    ? "#"
                                  : step.verb == Program::Verb::inverted ? "^"
                                                                         : "";
    return fmt::format("{{{{{}{}}}}}", sign, names[step.variable]);
}

Complaint unknown_variable(const Program::Step& step, std::span<const std::string> names) {
    return {step.position, to_tag(step, names), ""};
}

Complaint optional_variable(const Program::Step& step, std::span<const std::string> names) {
    const auto& name = names[step.variable];
    return {step.position, to_tag(step, names),
            fmt::format("{{{{#{}}}}} before and {{{{/{}}}}} behind it: not every job has it", name,
                        name)};
}

/// Zero, as JSON and PostgreSQL write numbers: "0", "-0", "0.00", "0e5". "00" is somebody's text.
bool is_zero(std::string_view value) {
    std::size_t at = value.starts_with('-') ? 1 : 0;
    if (value.substr(at, 1) != "0") return false;
    ++at;
    if (value.substr(at, 1) == ".") {
        const auto end = std::min(value.find_first_not_of('0', at + 1), value.size());
        if (end == at + 1) return false;
        at = end;
    }
    if (value.substr(at, 1) == "e" || value.substr(at, 1) == "E") {
        const auto sign = value.substr(at + 1, 1);
        const auto begin = at + (sign == "+" || sign == "-" ? 2 : 1);
        at = std::min(value.find_first_not_of("0123456789", begin), value.size());
        if (at <= begin) return false;
    }
    return at == value.size();
}

/// As mustache has it for texts: nothing, false, zero and null close a section. PostgreSQL writes a
/// boolean as "f". What is dropped from a value does not open one.
bool opens_section(std::string_view value) {
    constexpr std::array<std::string_view, 3> closing{"false", "f", "null"};
    return std::ranges::find(closing, value) == closing.end() && !is_zero(value) &&
           !is_nothing(value);
}

std::optional<Complaint> personal_section(const Program::Step& step,
                                          std::span<const std::string> names) {
    const auto& name = names[step.variable];
    if (is_whole_audience(name)) return std::nullopt;
    return Complaint{step.position, to_tag(step, names),
                     fmt::format("no section on \"{}\": it differs from person to person, and a "
                                 "section must be the same for everyone",
                                 name)};
}

}  // namespace

std::optional<Complaint> Program::run(std::span<const std::string> names,
                                      std::span<const Binding> bindings, std::size_t bytes_max,
                                      Text& out) const {
    std::size_t bytes = 0;
    std::string literal;
    for (std::size_t i = 0; i < steps_.size();) {
        const auto& step = steps_[i++];
        const auto before = literal.size();
        if (step.verb == Verb::literal) {
            literal.append(literals_, step.begin, step.end - step.begin);
        } else if (const auto& binding = bindings[step.variable]; step.verb == Verb::variable) {
            if (binding.standing == VariableStanding::unknown) return unknown_variable(step, names);
            if (binding.standing == VariableStanding::shared) {
                if (step.is_link && !is_whole_audience(names[step.variable]) &&
                    !is_safe_link(*binding.value)) {
                    return Complaint{step.position, to_tag(step, names), std::string{safe_links}};
                }
                append_clean(*binding.value, form_, literal);
            } else {
                bytes += literal.size() - before;
                const auto escape = form_ == PartForm::html ? Escape::html : Escape::none;
                out.push_back({std::move(literal), Slot{binding.slot, escape}});
                literal.clear();
                continue;
            }
        } else {
            const auto personal = binding.standing == VariableStanding::personal;
            if (personal) {
                if (auto complaint = personal_section(step, names)) return complaint;
            }
            const auto holds = personal || (binding.standing == VariableStanding::shared &&
                                            opens_section(*binding.value));
            if (holds != (step.verb == Verb::section)) i = step.end;
        }
        bytes += literal.size() - before;
        if (bytes > bytes_max) {
            return Complaint{step.position, fmt::format("{} bytes or more", bytes),
                             fmt::format("at most {} bytes of text", bytes_max)};
        }
    }
    if (!literal.empty()) out.push_back({std::move(literal), std::nullopt});
    return std::nullopt;
}

std::vector<Complaint> Program::check(std::span<const std::string> names,
                                      std::span<const VariableStanding> standings) const {
    std::vector<Complaint> complaints;
    std::vector<Step> around;  // Sections that the step is in: what they ask for is there.
    for (std::size_t i = 0; i < steps_.size();) {
        std::erase_if(around, [i](const Step& section) { return section.end <= i; });
        const auto& step = steps_[i++];
        if (step.verb == Verb::literal) continue;
        const auto standing = standings[step.variable];
        const bool is_variable = step.verb == Verb::variable;
        const bool is_asked =
            std::ranges::find(around, step.variable, &Step::variable) != around.end();
        if (standing == VariableStanding::foreign ||
            (standing == VariableStanding::unknown && is_variable)) {
            complaints.push_back(unknown_variable(step, names));
        } else if (standing == VariableStanding::unknown && step.verb == Verb::section) {
            i = step.end;  // Never written, so that what it holds is never missed.
        } else if (standing == VariableStanding::optional && is_variable && !is_asked) {
            complaints.push_back(optional_variable(step, names));
        } else if (standing == VariableStanding::personal && !is_variable) {
            if (auto complaint = personal_section(step, names)) {
                complaints.push_back(std::move(*complaint));
            }
        }
        if (step.verb == Verb::section) around.push_back(step);
    }
    return complaints;
}

}  // namespace fanfare
