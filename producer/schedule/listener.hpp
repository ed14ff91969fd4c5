#pragma once

#include "core/settings/secret.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace fanfare {

/// Hears NOTIFY on a few channels of one database.
///
/// A hint, never the truth: what is said while the connection is away is lost, so `heard` is also
/// called for every channel whenever it was made anew, and whoever listens polls beside it.
///
/// Bounds    one connection, idle in poll(); made anew after 100 ms, then ever later up to 10 s.
/// Stop      the destructor, at once.
/// Threads   `heard` is called on the listener's own.
class Listener {
public:
    /// `word`: what was said with it; "" where nothing was.
    using Heard = std::function<void(const std::string& channel, const std::string& word)>;

    Listener(Secret database, std::vector<std::string> names, Heard heard);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

private:
    void run();
    void listen();
    [[nodiscard]] bool wait_for(int socket, int most_ms) const;

    Secret database_;
    std::vector<std::string> channels_;
    Heard heard_;
    int wake_ = -1;  // An eventfd, readable when everything stops.
    std::atomic<bool> stopping_{false};
    bool connected_ = false;
    std::thread thread_;
};

}  // namespace fanfare
