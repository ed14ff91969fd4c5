#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace fanfare {

/// Memory that the bodies of requests may take while they arrive, all of them together. One peer
/// has a part of it, so that whoever begins bodies and never ends them keeps nobody else's out.
///
/// Threads   one.
class BodyRoom {
public:
    struct Bounds {
        std::size_t all = 0;
        std::size_t a_peer = 0;  // 0: as much as there is.
    };

    /// What one body takes of it. The room outlives it.
    class Share {
    public:
        Share(BodyRoom& server, std::string peer) : room_{server}, peer_{std::move(peer)} {}
        ~Share();
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;

        /// False: there is no room for that many.
        [[nodiscard]] bool grow_to(std::size_t bytes);

    private:
        BodyRoom& room_;
        std::string peer_;
        std::size_t taken_ = 0;
    };

    explicit BodyRoom(Bounds bounds) : bounds_{bounds} {}

private:
    Bounds bounds_;
    std::size_t taken_ = 0;
    std::map<std::string, std::size_t, std::less<>> of_peer_;
};

}  // namespace fanfare
