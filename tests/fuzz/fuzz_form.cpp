// Any bytes are a form or none, and one that is comes back from its own writing; any bytes are a
// path of some route or of none, and its names come back from a path that is written with them. Any
// moment is written as a date that is read as that moment.
#include "core/error/failure.hpp"
#include "core/providers/wait_hint.hpp"
#include "producer/http/router.hpp"
#include "producer/http/text.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace fanfare;

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits{"0123456789aBcDeF"};
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out.append({'%', digits[byte / 16], digits[byte % 16]});
    }
    return out;
}

void try_form(std::string_view text) {
    const auto form = parse_form(text);
    if (!form) return;
    std::string again;
    for (const auto& [name, value] : *form) {
        if (!again.empty()) again.push_back('&');
        again += percent_encoded(name) + '=' + percent_encoded(value);
    }
    ensure(parse_form(again) == form, "a form comes back");
    for (const auto& each : *form) {
        const auto first = std::find_if(form->begin(), form->end(),
                                        [&](const auto& any) { return any.first == each.first; });
        ensure(field(*form, each.first) == first->second, "the first field of a name counts");
    }
    ensure(field(*form, text).empty() || field(*form, text).size() < text.size(),
           "a field is shorter than its form");
}

Router make_router() {
    Router router;
    for (const auto* const pattern :
         {"/", "/v1/jobs", "/v1/jobs/{id}", "/v1/{what}/{id}/people/{person}", "/{any}/"}) {
        router.add("GET", pattern, {});
    }
    router.add("POST", "/v1/jobs/{id}", {});
    router.add("POST", "/webhooks/{account}", {});
    return router;
}

/// The pattern with each {name} as it was given.
std::string path_of(const Router::Match& match) {
    std::string path;
    auto param = match.params.begin();
    std::string_view left{match.route->pattern};
    while (!left.empty()) {
        const auto open = std::min(left.find('{'), left.size());
        path += left.substr(0, open);
        left.remove_prefix(open);
        if (left.empty()) break;
        ensure(param != match.params.end() && !param->second.empty(), "each name is given");
        path += percent_encoded(param->second);
        ++param;
        left.remove_prefix(left.find('}') + 1);
    }
    ensure(param == match.params.end(), "and no other");
    return path;
}

void try_path(std::string_view text) {
    static const Router router = make_router();
    for (const std::string_view method : {"GET", "HEAD", "POST"}) {
        const auto match = router.find(method, text);
        if (match.route == nullptr) continue;
        const auto again = router.find(method, path_of(match));
        ensure(again.route == match.route && again.params == match.params, "a path comes back");
    }
}

/// The first four bytes are a moment from 1970 to 2106.
void try_date(std::string_view text) {
    std::uint32_t since = 0;
    for (const char c : text.substr(0, 4)) since = since << 8U | static_cast<unsigned char>(c);
    const auto date = http_date(TimePoint{std::chrono::seconds{since}});
    ensure(parse_date(date) == since, "a date comes back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(bytes), size};
    try_form(text);
    try_path(text);
    try_date(text);
    return 0;
}
