#pragma once

#include "sim/http/message.hpp"
#include "sim/oracle/oracle.hpp"

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::sim {

/// A request kept whole, credentials removed.
struct Call {
    std::uint64_t number;
    ProviderIndex provider;
    std::string treatment;
    int status;
    std::string method, path, query;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::vector<std::string> accepted;  // To whom a message of it was taken.
};

/// Keeps the last requests.
///
/// Bounds    `calls_max` requests and `bytes_max` bytes of bodies; 0 requests: off.
/// Threads   one at a time: its owner locks.
class Recorder {
public:
    explicit Recorder(std::size_t calls_max) : calls_max_{calls_max} {}

    [[nodiscard]] bool on() const noexcept { return calls_max_ > 0; }
    void keep(ProviderIndex provider, const Request& request, std::string_view treatment,
              int status, std::span<const std::string_view> accepted);
    /// Oldest first.
    [[nodiscard]] const std::deque<Call>& calls() const noexcept { return calls_; }
    void reset();

private:
    static constexpr std::size_t bytes_max = 256U * 1024 * 1024;

    std::size_t calls_max_;
    std::deque<Call> calls_;
    std::size_t bytes_ = 0;
    std::uint64_t number_ = 0;
};

}  // namespace fanfare::sim
