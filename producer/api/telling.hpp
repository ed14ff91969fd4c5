#pragma once

#include "producer/api/routes.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>

namespace fanfare::api {

/// Why a job can be told to nobody, as far as its system's database knows, with the texts that its
/// owner's jobs have now; nothing where it may be ordered. What nobody can tell now is ordered.
[[nodiscard]] boost::asio::awaitable<std::optional<HttpReply>> untellable(const ApiContext& parts,
                                                                          const Job& job);

}  // namespace fanfare::api
