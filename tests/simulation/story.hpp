#pragma once

#include "core/clock/clock.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace fanfare::simulation {

/// What happened in a world, a line each with its virtual time; nothing is kept where nobody wants
/// to read it.
class Story {
public:
    Story(const Clock& clock, bool wanted) : clock_{clock}, wanted_{wanted} {}

    template <class... Parts>
    void tell(fmt::format_string<Parts...> form, Parts&&... parts) {
        if (!wanted_) return;
        const std::chrono::duration<double> now = clock_.steady_now().time_since_epoch();
        text_ += fmt::format("{:9.3f} s  ", now.count());
        text_ += fmt::format(form, std::forward<Parts>(parts)...);
        text_ += '\n';
    }
    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] bool is_wanted() const { return wanted_; }

private:
    const Clock& clock_;
    bool wanted_;
    std::string text_;
};

}  // namespace fanfare::simulation
