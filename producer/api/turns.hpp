#pragma once

#include <boost/asio/awaitable.hpp>

#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <string>

namespace fanfare::api {

/// Who may do what takes long: each client one call at a time, its others in a line, so that none
/// of them is in another client's way for longer than one call.
///
/// Bounds    waiting_max calls in a client's line.
/// Stop      after close() nobody waits any more.
/// Threads   one.
class Turns {
public:
    static constexpr std::size_t waiting_max = 8;
    /// For what has begun already and cannot be refused any more: pieces of an export.
    static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

    /// Goes to the next in line when it goes.
    class Turn {
    public:
        ~Turn() { turns_.pass_on(client_); }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

    private:
        friend class Turns;
        Turn(Turns& turns, std::string client) : turns_{turns}, client_{std::move(client)} {}
        Turns& turns_;
        std::string client_;
    };

    /// Nothing: too many are waiting already, or it is over.
    [[nodiscard]] boost::asio::awaitable<std::unique_ptr<Turn>> take(
        std::string client, std::size_t in_line_max = waiting_max);
    void close();

private:
    struct Waiter;
    struct Line {
        std::deque<std::shared_ptr<Waiter>> waiting;
    };

    void pass_on(const std::string& client);

    std::map<std::string, Line, std::less<>> lines_;  // Of clients whose turn is taken.
    bool closed_ = false;
};

}  // namespace fanfare::api
