#include "core/error/failure.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace fanfare {
namespace {

std::string_view file_name(const char* path) {
    const std::string_view whole{path};
    const auto slash = whole.rfind('/');
    return slash == std::string_view::npos ? whole : whole.substr(slash + 1);
}

}  // namespace

std::string_view to_string(Errc code) noexcept {
    switch (code) {
        case Errc::config_invalid:
            return "config_invalid";
        case Errc::kafka_unusable:
            return "kafka_unusable";
        case Errc::kafka_unavailable:
            return "kafka_unavailable";
        case Errc::kafka_too_large:
            return "kafka_too_large";
        case Errc::store_unavailable:
            return "store_unavailable";
        case Errc::store_conflict:
            return "store_conflict";
        case Errc::store_timeout:
            return "store_timeout";
        case Errc::store_rejected:
            return "store_rejected";
        case Errc::store_data:
            return "store_data";
        case Errc::commit_in_doubt:
            return "commit_in_doubt";
        case Errc::job_malformed:
            return "job_malformed";
        case Errc::job_rejected:
            return "job_rejected";
        case Errc::template_invalid:
            return "template_invalid";
        case Errc::http_unavailable:
            return "http_unavailable";
        case Errc::credential_refused:
            return "credential_refused";
        case Errc::stopping:
            return "stopping";
    }
    return "?";
}

bool is_retryable(Errc code) noexcept {
    return code == Errc::kafka_unavailable || code == Errc::store_unavailable ||
           code == Errc::store_conflict || code == Errc::store_timeout ||
           code == Errc::commit_in_doubt || code == Errc::http_unavailable;
}

std::string describe(const Failure& failure) {
    return fmt::format("could not {}: {}", failure.doing, to_string(failure.code));
}

std::string to_sentence(const Failure& failure) {
    return fmt::format("could not {} ({})", failure.doing, to_string(failure.code));
}

void throw_exception_from_error(const Failure& failure, const boost::source_location&) {
    throw std::runtime_error{fmt::format("{} ({}:{})", describe(failure),
                                         file_name(failure.where.file_name()),
                                         failure.where.line())};
}

void ensure(bool condition, std::string_view what, std::source_location where) {
    if (condition) return;
    fmt::print(stderr, "fanfare: broken invariant: {} ({}:{})\n", what,
               file_name(where.file_name()), where.line());
    std::abort();
}

}  // namespace fanfare
