#pragma once

#include "core/http/client.hpp"
#include "core/observe/families.hpp"
#include "core/observe/seldom.hpp"
#include "core/settings/settings.hpp"
#include "core/tracing/span.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fanfare {

/// Sends spans to a collector by OTLP/HTTP (JSON), in batches, beside all else: nobody who ends a
/// span ever waits. What the collector does not take is dropped and counted.
///
/// Where observe.otlp is empty there is none: callers hold a pointer that is null, and do nothing.
///
/// Bounds    queue_max spans wait, beyond that they are dropped; batch_max a request, one at a
///           time, tries_max of each.
/// Stop      finish() sends what is left for so long; the destructor for no time at all.
/// Threads   all calls from any; one of its own.
/// Lifetime  the clock outlives it.
class Tracer {
public:
    struct Bounds {
        std::size_t queue_max = 8'192;
        std::size_t batch_max = 512;
        int tries_max = 5;
        std::chrono::milliseconds every{1'000};  // A batch that is not full waits so long.
        std::chrono::milliseconds first_wait{1'000};
        std::chrono::milliseconds timeout{10'000};  // Of one request.
    };

    /// Null where `settings` name no collector.
    [[nodiscard]] static std::unique_ptr<Tracer> open(const ObserveSettings& settings,
                                                      SpanSource source, const Clock& clock);
    Tracer(const ObserveSettings& settings, SpanSource source, const Clock& clock, Bounds bounds);
    ~Tracer();
    Tracer(const Tracer&) = delete;
    Tracer& operator=(const Tracer&) = delete;

    /// A span that begins now, in the trace of an encode_trace() text. Nothing where that is none,
    /// or its spans are not wanted.
    [[nodiscard]] std::optional<Span> in(std::string_view trace, std::string_view name,
                                         Span::Kind kind) const;
    /// A span below `parent` that begins now.
    [[nodiscard]] Span below(const Span& parent, std::string_view name, Span::Kind kind) const;
    /// A span of a trace that begins with it, and whose spans are wanted as often as was set.
    struct Root {
        std::optional<Span> span;  // Nothing: not wanted.
        std::string trace;         // Inside it, as encode_trace() has it.
    };
    [[nodiscard]] Root begin(std::string_view name, Span::Kind kind) const;

    /// It ends now.
    void end(Span span);

    /// Sends what waits, for as long as that; then nothing more.
    void finish(std::chrono::milliseconds most);

    [[nodiscard]] std::uint64_t exported() const noexcept { return exported_; }
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

private:
    [[nodiscard]] boost::asio::awaitable<void> serve();
    [[nodiscard]] boost::asio::awaitable<void> deliver(std::vector<Span> batch);
    [[nodiscard]] boost::asio::awaitable<void> rest(SteadyTime until, bool unless_full);
    [[nodiscard]] std::vector<Span> take();
    [[nodiscard]] bool is_full() const;
    [[nodiscard]] SteadyTime end_of_time() const;
    void drop(std::size_t count, std::string_view why);
    void wake();

    const std::string url_;
    const double ratio_;
    const SpanSource source_;
    const Clock& clock_;
    const Bounds bounds_;
    std::atomic<std::uint64_t> exported_{0};
    std::atomic<std::uint64_t> dropped_{0};
    mutable std::mutex mutex_;  // Guards the two below.
    std::deque<Span> waiting_;
    std::optional<SteadyTime> last_;  // Stopping: nothing goes out after this.
    boost::asio::io_context loop_{1};
    boost::asio::steady_timer timer_{loop_};
    boost::asio::steady_timer limit_{loop_};
    std::unique_ptr<HttpClient> client_;
    Seldom lost_;
    std::thread thread_;
};

/// The same of a tracer that there may not be.
[[nodiscard]] std::optional<Span> span_in(const Tracer* tracer, std::string_view trace,
                                          std::string_view name, Span::Kind kind);
/// A span in the trace that came, or of a new one where none came; without a tracer, and where its
/// spans are not wanted, what came is passed on as it is.
[[nodiscard]] Tracer::Root begin_span(const Tracer* tracer, std::string_view came,
                                      std::string_view name, Span::Kind kind);

/// What became of spans; zeros without a tracer.
void append_spans(Families& families, const Tracer* tracer);

}  // namespace fanfare
