#pragma once

#include "core/clock/clock.hpp"
#include "core/error/failure.hpp"
#include "core/rendering/templates.hpp"
#include "core/systems/system.hpp"

#include <map>
#include <string>

namespace fanfare {

/// Somebody who reads a message.
struct Reader {
    std::string locale;
    std::string time_zone;
    std::map<std::string, std::string> values;  // Columns of the contact query: name -> text.
};

/// A message as one reader gets it.
struct RenderedPreview {
    std::string locale;   // The template's, after fallback.
    std::string subject;  // Push: the title.
    std::string text;     // Push: the body.
    std::string html;
    std::map<std::string, std::string> data;  // Of a push.
};

/// Writes what a job of this kind and data says to one reader, as the worker would. `link`: the
/// person's link to unsubscribe, "" where there is none. Fails where a variable is missing.
[[nodiscard]] Result<RenderedPreview> render_preview(const Templates& templates, const Kind& kind,
                                                     Channel channel,
                                                     const std::map<std::string, std::string>& data,
                                                     const Reader& reader, const std::string& link,
                                                     TimePoint now);

}  // namespace fanfare
