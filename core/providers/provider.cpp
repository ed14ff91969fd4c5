#include "core/providers/provider.hpp"

#include "core/audience/address.hpp"

#include <utility>

namespace fanfare {

Proven Provider::proven_by(const HttpAnswer& answer) const {
    if (answer.transport != Transport::answered) return {Proof::unreachable, answer.fault};
    return read_proof(answer);
}

Proven Provider::read_proof(const HttpAnswer& answer) const {
    constexpr int unauthorized = 401;
    constexpr int forbidden = 403;
    constexpr int not_found = 404;
    const auto status = answer.status;
    const auto proof = status == unauthorized || status == forbidden ? Proof::refused
                       : status == not_found                         ? Proof::unknown
                       : status / 100 == 2                           ? Proof::well
                                                                     : Proof::unclear;
    return {proof, std::to_string(status)};
}

void ensure_composable(const Batch& batch, Channel channel, std::size_t most) {
    ensure(!batch.messages.empty() && batch.messages.size() <= most,
           "a batch holds 1 to batch_max messages");
    for (const auto& message : batch.messages) {
        ensure(address_is_sendable(channel, message.address),
               "an address given to compose() was found sendable before");
    }
}

HttpRequest get_request(std::string url, std::vector<std::string> headers) {
    HttpRequest request;
    request.get = true;
    request.url = std::move(url);
    request.headers = std::move(headers);
    return request;
}

}  // namespace fanfare
