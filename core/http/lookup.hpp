#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fanfare {

/// One look-up of a host's addresses, by the system's own resolver.
///
/// That may take as long as a name server is silent, and nothing stops it: it has a thread of its
/// own, so that it holds up neither the loop nor another look-up nor the program's end.
///
/// Threads   begin() and cancel() on the executor, where `done` is called.
class Lookup {
public:
    struct Answer {
        std::vector<boost::asio::ip::tcp::endpoint> endpoints;
        std::string fault;  // Empty: there are endpoints.
    };
    using Done = std::function<void(Answer)>;

    Lookup() = default;
    Lookup(const Lookup&) = delete;
    Lookup& operator=(const Lookup&) = delete;
    ~Lookup() { cancel(); }

    /// Once. `host` may be an address, too: then no thread is needed.
    void begin(const boost::asio::any_io_executor& executor, const std::string& host,
               const std::string& port, Done done);
    /// `done` is not called any more. At the latest before the executor's context ends.
    void cancel();

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace fanfare
