#pragma once

#include "core/error/failure.hpp"
#include "core/wire/job.hpp"
#include "producer/http/exchange.hpp"

#include <boost/json/value.hpp>

#include <string_view>

namespace fanfare::api {

/// A problem document with a code that programs may look at; codes never change.
[[nodiscard]] HttpReply refusal(int status, std::string_view code, std::string_view detail);

/// What stands against a body: 400 where it cannot be read, 422 where it says what cannot be.
[[nodiscard]] HttpReply refusal(const Rejection& rejection);
/// Of what stands at `within` ("/job") in the body that was sent; "": of the body.
[[nodiscard]] HttpReply refusal(Rejection rejection, std::string_view within);

/// What the caller is not told goes to the log; of many calls that fail one a minute.
void log_failed_call(const Failure& failure);

/// 503 for what passes by itself, 500 for the rest. The log gets the failure, the caller does not.
[[nodiscard]] HttpReply unavailable(const Failure& failure);

/// 429 for a client whose other calls are still waiting for their turn.
[[nodiscard]] HttpReply busy();

[[nodiscard]] HttpReply nothing_here(std::string_view what);  // 404.

/// 409 for a job whose people retention has dropped.
[[nodiscard]] HttpReply no_longer_kept(std::string_view job);

[[nodiscard]] HttpReply reply_with(int status, const boost::json::value& document);

/// The text as JSON wants it, which takes views of its own.
[[nodiscard]] inline boost::json::string_view text(std::string_view view) {
    return {view.data(), view.size()};
}
/// null for "".
[[nodiscard]] boost::json::value text_or_null(std::string_view view);

}  // namespace fanfare::api
