#include "producer/schedule/listener.hpp"

#include "core/error/failure.hpp"
#include "core/postgres/connection.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <pqxx/notification>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

namespace fanfare {
namespace {

constexpr int retry_first_ms = 100;
constexpr int retry_max_ms = 10'000;

class Ear final : public pqxx::notification_receiver {
public:
    Ear(pqxx::connection& connection, const std::string& channel, const Listener::Heard& heard)
        : pqxx::notification_receiver{connection, channel}, heard_{heard} {}
    void operator()(const std::string& word, int) override { heard_(channel(), word); }

private:
    const Listener::Heard& heard_;
};

}  // namespace

Listener::Listener(Secret database, std::vector<std::string> names, Heard heard)
    : database_{std::move(database)},
      channels_{std::move(names)},
      heard_{std::move(heard)},
      wake_{::eventfd(0, EFD_CLOEXEC)} {
    ensure(wake_ >= 0, "a process may have another eventfd");
    thread_ = std::thread{[this] { run(); }};
}

Listener::~Listener() {
    stopping_ = true;
    const std::uint64_t one = 1;
    ensure(::write(wake_, &one, sizeof one) == sizeof one, "an eventfd takes a 1");
    thread_.join();
    ::close(wake_);
}

void Listener::run() {
    int wait_ms = retry_first_ms;
    while (!stopping_) {
        connected_ = false;
        try {
            listen();
        } catch (const std::exception& fault) {
            spdlog::warn("{}; due queries are only polled meanwhile",
                         describe(postgres::to_failure(fault, connected_, "listen to a database")));
        }
        if (connected_) wait_ms = retry_first_ms;
        if (!stopping_) std::ignore = wait_for(-1, wait_ms);
        wait_ms = std::min(wait_ms * 2, retry_max_ms);
    }
}

void Listener::listen() {
    postgres::Connection connection{database_, {}};
    std::vector<std::unique_ptr<Ear>> ears;
    for (const auto& channel : channels_) {
        ears.push_back(std::make_unique<Ear>(connection.raw(), channel, heard_));
    }
    connected_ = true;
    for (const auto& channel : channels_) heard_(channel, {});  // It may have been said before.
    while (!stopping_) {
        connection.raw().get_notifs();
        if (!wait_for(connection.raw().sock(), -1)) return;
    }
}

/// True when the socket has something; false when time is up or everything stops.
bool Listener::wait_for(int socket, int most_ms) const {
    std::array<pollfd, 2> watched{{{wake_, POLLIN, 0}, {socket, POLLIN, 0}}};
    const auto ready = ::poll(watched.data(), watched.size(), most_ms);
    return ready > 0 && watched[0].revents == 0;
}

}  // namespace fanfare
