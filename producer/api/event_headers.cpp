#include "producer/api/event_headers.hpp"

#include "core/domain/utf8.hpp"
#include "core/wire/job_rejection.hpp"
#include "producer/http/text.hpp"

#include <string_view>

namespace fanfare::api {
namespace {

constexpr std::string_view prefix = "ce-";

/// A header's value without the quotes that HTTP allows around it.
std::string unquoted(std::string_view value) {
    if (value.size() < 2 || !value.starts_with('"') || !value.ends_with('"')) {
        return std::string{value};
    }
    value = value.substr(1, value.size() - 2);
    std::string text;
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] == '\\' && i + 1 < value.size()) ++i;
        text.push_back(value[i]);
    }
    return text;
}

}  // namespace

std::variant<HeaderList, Rejection> event_headers(const HttpCall& call) {
    HeaderList headers;
    for (const auto& [name, value] : call.headers) {
        if (!same_word(std::string_view{name}.substr(0, prefix.size()), prefix)) {
            headers.emplace_back(name, value);
            continue;
        }
        auto decoded = percent_decoded(unquoted(value), false);
        if (!decoded || !is_utf8(*decoded)) {
            return reject("invalid_event", point_to("", lower(name).substr(prefix.size())),
                          "is no text percent-encoded as UTF-8, as CloudEvents over HTTP have it; "
                          "mend the header");
        }
        headers.emplace_back(name, std::move(*decoded));
    }
    return headers;
}

}  // namespace fanfare::api
