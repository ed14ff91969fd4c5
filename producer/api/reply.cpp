#include "producer/api/reply.hpp"

#include "core/clock/clock.hpp"
#include "core/observe/seldom.hpp"

#include <fmt/format.h>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace fanfare::api {
namespace {

constexpr std::array<std::string_view, 5> unreadable{"not_json", "too_deep", "duplicate_key",
                                                     "nul_character", "number_out_of_range"};

}  // namespace

HttpReply refusal(int status, std::string_view code, std::string_view detail) {
    return problem(status, code, detail);
}

HttpReply refusal(const Rejection& rejection) {
    const bool is_unreadable =
        std::find(unreadable.begin(), unreadable.end(), rejection.code) != unreadable.end();
    const int status = rejection.code == "too_large" ? 413 : is_unreadable ? 400 : 422;
    return refusal(status, rejection.code, rejection.message);
}

HttpReply refusal(Rejection rejection, std::string_view within) {
    if (within.empty()) return refusal(rejection);
    const bool has_place = rejection.message.starts_with('/');
    rejection.message.insert(0, has_place ? std::string{within} : std::string{within} + ": ");
    return refusal(rejection);
}

void log_failed_call(const Failure& failure) {
    static Seldom warning{"calls of the API failed", system_clock()};
    warning.warn(describe(failure));
}

HttpReply unavailable(const Failure& failure) {
    log_failed_call(failure);
    if (failure.code == Errc::store_rejected) {
        return refusal(500, "query_fails",
                       "A query fails here, whoever asks: operators see which by fanfare doctor, "
                       "fanfare config check --database and the log.");
    }
    if (!is_retryable(failure.code) && failure.code != Errc::commit_in_doubt) {
        return refusal(500, "internal", "Something went wrong here; the log says what.");
    }
    auto reply = refusal(503, "unavailable", "This cannot be served right now; send it again.");
    reply.headers.emplace_back("Retry-After", "5");
    return reply;
}

HttpReply busy() {
    auto reply = refusal(429, "busy", "Too many such calls of this client wait already.");
    reply.headers.emplace_back("Retry-After", "5");
    return reply;
}

HttpReply nothing_here(std::string_view what) {
    return refusal(404, "not_found", std::string{"There is no such "}.append(what).append("."));
}

HttpReply no_longer_kept(std::string_view job) {
    return refusal(409, "no_longer_kept",
                   fmt::format("What became of the people of job {} is no longer kept: it is older "
                               "than database.keep_days.",
                               job));
}

HttpReply reply_with(int status, const boost::json::value& document) {
    HttpReply reply;
    reply.status = status;
    reply.content_type = "application/json";
    reply.body = boost::json::serialize(document);
    reply.headers.emplace_back("Cache-Control", "no-store");
    return reply;
}

boost::json::value text_or_null(std::string_view view) {
    if (view.empty()) return nullptr;
    return boost::json::value(text(view));
}

}  // namespace fanfare::api
