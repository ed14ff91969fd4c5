#include "core/http/lookup.hpp"

#include "core/handle/handle.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <charconv>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Addresses = Handle<addrinfo, freeaddrinfo>;

constexpr std::size_t endpoints_max = 8;

Lookup::Answer ask_system(const std::string& host, const std::string& port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    const int code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
    if (code != 0) return {{}, ::gai_strerror(code)};
    const Addresses owner{found};
    Lookup::Answer answer;
    for (; found != nullptr && answer.endpoints.size() < endpoints_max; found = found->ai_next) {
        tcp::endpoint endpoint;
        if (found->ai_addrlen > endpoint.capacity()) continue;
        std::memcpy(endpoint.data(), found->ai_addr, found->ai_addrlen);
        endpoint.resize(found->ai_addrlen);
        answer.endpoints.push_back(endpoint);
    }
    if (answer.endpoints.empty()) answer.fault = "the name has no address";
    return answer;
}

}  // namespace

struct Lookup::State : std::enable_shared_from_this<State> {
    std::mutex mutex;                               // Of `executor`.
    std::optional<asio::any_io_executor> executor;  // Nothing: nobody waits any more.
    Done done;

    /// From any thread.
    void tell(Answer answer) {
        const std::lock_guard guard{mutex};
        if (!executor) return;
        asio::post(*std::exchange(executor, std::nullopt),
                   [self = shared_from_this(), answer = std::move(answer)]() mutable {
                       const auto wanted = std::exchange(self->done, nullptr);
                       if (wanted) wanted(std::move(answer));
                   });
    }
};

void Lookup::begin(const asio::any_io_executor& executor, const std::string& host,
                   const std::string& port, Done done) {
    state_ = std::make_shared<State>();
    state_->done = std::move(done);
    state_->executor = asio::prefer(executor, asio::execution::outstanding_work.tracked);
    boost::system::error_code is_name;
    const auto address = asio::ip::make_address(host, is_name);
    if (!is_name) {
        std::uint16_t number = 0;
        std::from_chars(port.data(), port.data() + port.size(), number);
        return state_->tell({{tcp::endpoint{address, number}}, {}});
    }
    try {
        std::thread{[state = state_, host, port] { state->tell(ask_system(host, port)); }}.detach();
    } catch (const std::system_error&) {
        state_->tell({{}, "there is no thread left to look the name up"});
    }
}

void Lookup::cancel() {
    if (!state_) return;
    const std::lock_guard guard{state_->mutex};
    state_->executor.reset();
    state_->done = nullptr;
}

}  // namespace fanfare
