#include "producer/console/live.hpp"

#include <boost/asio/this_coro.hpp>

#include <tuple>

namespace fanfare::console {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds window{10};
constexpr std::chrono::milliseconds between{2'000};
constexpr int pieces_max = 300;  // Then the browser comes again, and is looked at again.

/// "data: " before each line of it.
std::string encode_event(std::string_view text) {
    std::string event;
    while (true) {
        const auto end = text.find('\n');
        event.append("data: ").append(text.substr(0, end)).append("\n");
        if (end == std::string_view::npos) return event.append("\n");
        text.remove_prefix(end + 1);
    }
}

class Stream {
public:
    Stream(LiveSlots& slots, std::shared_ptr<LiveSlots::Slot> slot, Draw draw)
        : slots_{slots}, slot_{std::move(slot)}, draw_{std::move(draw)} {}

    asio::awaitable<std::optional<std::string>> next() {
        if (count_ == pieces_max) co_return std::string{};
        if (count_++ > 0) {
            const bool goes_on = co_await slots_.pause(between);
            if (!goes_on) co_return std::string{};
        }
        const auto drawn = co_await draw_();
        // Something is written each time: so it is noticed that nobody reads any more.
        if (!drawn || *drawn == last_) co_return std::string{":\n\n"};
        last_ = *drawn;
        co_return encode_event(last_);
    }

private:
    LiveSlots& slots_;
    std::shared_ptr<LiveSlots::Slot> slot_;
    Draw draw_;
    std::string last_;
    int count_ = 0;
};

}  // namespace

void Pace::sample(SteadyTime now, std::int64_t done) {
    samples_.emplace_back(now, done);
    while (samples_.size() > 2 && now - samples_[1].first >= window) samples_.pop_front();
}

std::optional<double> Pace::per_second() const {
    if (samples_.size() < 2) return std::nullopt;
    const auto& [first_at, first] = samples_.front();
    const auto& [last_at, last] = samples_.back();
    const auto elapsed = std::chrono::duration<double>(last_at - first_at).count();
    if (elapsed <= 0) return std::nullopt;
    return std::max(0.0, static_cast<double>(last - first) / elapsed);
}

std::shared_ptr<LiveSlots::Slot> LiveSlots::take() {
    if (closed_ || taken_ == most_) return nullptr;
    ++taken_;
    return std::make_shared<Slot>(*this);
}

asio::awaitable<bool> LiveSlots::pause(std::chrono::milliseconds duration) {
    if (closed_) co_return false;
    Timer timer{co_await asio::this_coro::executor};
    waiting_.insert(&timer);
    std::ignore = co_await timer.wait(duration);
    waiting_.erase(&timer);
    co_return !closed_;
}

void LiveSlots::close() {
    closed_ = true;
    for (auto* const timer : waiting_) timer->cancel();
}

HttpReply live_reply(LiveSlots& slots, Draw draw) {
    auto slot = slots.take();
    if (!slot) {
        auto reply = problem(503, "no_slot", "Too many pages show live numbers already.");
        reply.headers.emplace_back("Retry-After", "15");
        return reply;
    }
    HttpReply reply;
    reply.content_type = "text/event-stream";
    reply.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
    const auto stream = std::make_shared<Stream>(slots, std::move(slot), std::move(draw));
    reply.pieces = [stream] { return stream->next(); };
    return reply;
}

}  // namespace fanfare::console
