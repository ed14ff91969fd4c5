#include "worker/send/spare_requests.hpp"

#include <utility>

namespace fanfare {

std::vector<HttpRequest> SpareRequests::take() {
    if (chunks_.empty()) return {};
    auto requests = std::move(chunks_.back());
    chunks_.pop_back();
    count_ -= requests.size();
    return requests;
}

void SpareRequests::give_back(ComposedRequests& requests) {
    auto spare = std::move(requests.spare);
    for (auto& composed : requests.requests) {
        const bool is_small = composed.request.body.capacity() <= body_bytes_max;
        if (is_small && count_ + spare.size() < requests_max) {
            spare.push_back(std::move(composed.request));
        }
    }
    requests.requests.clear();
    if (spare.empty() || count_ + spare.size() > requests_max) return;
    count_ += spare.size();
    chunks_.push_back(std::move(spare));
}

}  // namespace fanfare
