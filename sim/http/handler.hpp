#pragma once

#include "sim/http/message.hpp"

#include <chrono>
#include <cstdint>
#include <functional>

namespace fanfare::sim {

/// What the server is to do with a request.
struct Reaction {
    enum class Action : std::uint8_t {
        answer,   // Send `answer` after `delay`.
        drop,     // After `delay`: close (HTTP/1.1) or reset the stream (HTTP/2), no answer.
        cut,      // The same, but the whole connection even in HTTP/2.
        silence,  // Never answer.
        park,     // Not looked at yet: the handler calls resume later, and is asked again.
    };
    static constexpr std::uint8_t no_ticket = 0xff;

    Action action = Action::answer;
    std::chrono::microseconds delay{0};
    std::uint8_t ticket = no_ticket;  // Given back by Handler::ended() when the exchange ends.
    Answer answer;

    void clear() {
        action = Action::answer;
        delay = {};
        ticket = no_ticket;
        answer.clear();
    }
};

/// Decides about requests. The server moves the bytes.
///
/// Threads   called from every server thread at once.
class Handler {
public:
    virtual ~Handler() = default;
    /// Fills `reaction`, which arrives cleared.
    virtual void handle(const Request& request, Reaction& reaction) = 0;
    /// An exchange that held `ticket` is over, answered or not.
    virtual void ended(std::uint8_t ticket) = 0;
    /// Keeps `resume` of a request it has parked under `ticket`; may be called on any thread.
    virtual void park(std::uint8_t ticket, std::function<void()> resume) = 0;
};

}  // namespace fanfare::sim
