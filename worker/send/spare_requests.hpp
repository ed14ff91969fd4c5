#pragma once

#include "worker/send/composed_requests.hpp"

#include <cstddef>
#include <vector>

namespace fanfare {

/// Keeps small requests that were answered, so that the next chunk's need no memory of their own.
///
/// Bounds    requests_max, of at most body_bytes_max each.
/// Threads   one serial executor.
class SpareRequests {
public:
    static constexpr std::size_t requests_max = 256;
    static constexpr std::size_t body_bytes_max = 2'048;

    /// For a chunk that is composed next.
    [[nodiscard]] std::vector<HttpRequest> take();
    /// Of a chunk that is over: nobody reads its requests any more.
    void give_back(ComposedRequests& requests);

private:
    std::vector<std::vector<HttpRequest>> chunks_;
    std::size_t count_ = 0;  // In all of them.
};

}  // namespace fanfare
