#include "core/tracing/tracer.hpp"

#include "core/async/task_group.hpp"
#include "core/domain/number.hpp"

#include <fmt/format.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <iterator>
#include <random>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
constexpr milliseconds wait_max{30'000};

double any_share() {
    thread_local std::mt19937_64 random{std::random_device{}()};
    return std::uniform_real_distribution<>{}(random);
}

/// Seconds; a date, which collectors do not send, counts as nothing said.
milliseconds retry_after(const HttpAnswer& answer) {
    const auto seconds = parse_number<std::uint32_t>(answer.retry_after).value_or(0);
    return std::min<milliseconds>(std::chrono::seconds{seconds}, wait_max);
}

bool says_again(int status) {
    return status == 429 || status == 502 || status == 503 || status == 504;
}

std::string why_not(const HttpAnswer& answer) {
    if (answer.transport == Transport::answered) return fmt::format("it says {}", answer.status);
    return answer.fault.empty() ? "it does not answer" : answer.fault;
}

HttpOptions http_options(const std::string& url, milliseconds timeout) {
    HttpOptions options;
    options.timeout = timeout;
    options.connections_max = 1;
    options.allow_http = url.starts_with("http://");  // Of loopback only: the settings see to it.
    return options;
}

std::string traces_url(std::string base) {
    while (base.ends_with('/')) base.pop_back();
    return base + "/v1/traces";
}

}  // namespace

std::unique_ptr<Tracer> Tracer::open(const ObserveSettings& settings, SpanSource source,
                                     const Clock& clock) {
    if (settings.otlp.empty()) return nullptr;
    return std::make_unique<Tracer>(settings, std::move(source), clock, Bounds{});
}

Tracer::Tracer(const ObserveSettings& settings, SpanSource source, const Clock& clock,
               Bounds bounds)
    : url_{traces_url(settings.otlp)},
      ratio_{settings.trace_ratio},
      source_{std::move(source)},
      clock_{clock},
      bounds_{bounds},
      lost_{"requests with spans came to nothing", clock} {
    client_ = HttpClient::create(loop_.get_executor(), http_options(url_, bounds_.timeout));
    thread_ = std::thread{[this] {
        TaskGroup tasks{loop_.get_executor()};
        tasks.spawn(serve());
        loop_.run();
    }};
}

Tracer::~Tracer() { finish(milliseconds{0}); }

std::optional<Span> Tracer::in(std::string_view trace, std::string_view name,
                               Span::Kind kind) const {
    auto context = decode_trace(trace);
    if (!context || !context->sampled) return std::nullopt;
    Span span;
    span.name = name;
    span.kind = kind;
    span.trace = context->trace;
    span.id = new_span_id();
    span.parent = context->span;
    span.state = std::move(context->state);
    span.begin = clock_.now();
    return span;
}

Span Tracer::below(const Span& parent, std::string_view name, Span::Kind kind) const {
    Span span;
    span.name = name;
    span.kind = kind;
    span.trace = parent.trace;
    span.id = new_span_id();
    span.parent = parent.id;
    span.state = parent.state;
    span.begin = clock_.now();
    return span;
}

Tracer::Root Tracer::begin(std::string_view name, Span::Kind kind) const {
    const TraceContext context{new_trace_id(), new_span_id(), any_share() < ratio_, {}};
    Root root{std::nullopt, encode_trace(context)};
    if (!context.sampled) return root;
    root.span.emplace();
    root.span->name = name;
    root.span->kind = kind;
    root.span->trace = context.trace;
    root.span->id = context.span;
    root.span->begin = clock_.now();
    return root;
}

void Tracer::end(Span span) {
    span.end = clock_.now();
    bool full = false;
    {
        const std::lock_guard guard{mutex_};
        if (last_ || waiting_.size() >= bounds_.queue_max) {
            ++dropped_;
            return;
        }
        waiting_.push_back(std::move(span));
        full = waiting_.size() == bounds_.batch_max;
    }
    if (full) wake();
}

void Tracer::finish(milliseconds most) {
    if (!thread_.joinable()) return;
    const auto last = clock_.steady_now() + most;
    {
        const std::lock_guard guard{mutex_};
        last_ = last;
    }
    // A collector that keeps us waiting is left when the time is over.
    asio::post(loop_, [this, last] {
        timer_.cancel();
        if (!client_) return;
        limit_.expires_at(last);
        limit_.async_wait([this](const boost::system::error_code& fault) {
            if (!fault) client_.reset();
        });
    });
    thread_.join();
}

void Tracer::wake() {
    asio::post(loop_, [this] { timer_.cancel(); });
}

asio::awaitable<void> Tracer::serve() {
    while (true) {
        const auto until = clock_.steady_now() + bounds_.every;
        co_await rest(until, true);
        auto batch = take();
        if (!batch.empty()) {
            co_await deliver(std::move(batch));
        } else if (end_of_time() != SteadyTime::max()) {
            break;
        }
    }
    limit_.cancel();
    client_.reset();
}

/// Sends one batch until it is taken or refused for good.
asio::awaitable<void> Tracer::deliver(std::vector<Span> batch) {
    HttpRequest request;
    request.url = url_;
    request.headers = {"Content-Type: application/json"};
    request.body = encode_spans(source_, batch);
    auto wait = bounds_.first_wait;
    for (int tries = 1;; ++tries) {
        if (!client_ || clock_.steady_now() >= end_of_time()) {
            drop(batch.size(), "the program ends");
            co_return;
        }
        const auto answer = co_await client_->send(request);
        const bool answered = answer.transport == Transport::answered;
        if (answered && answer.status >= 200 && answer.status < 300) {
            const auto rejected = std::min(count_rejected(answer.body), batch.size());
            exported_ += batch.size() - rejected;
            if (rejected > 0) drop(rejected, "it rejects them");
            co_return;
        }
        // What may have arrived is not sent twice.
        const bool again =
            answered ? says_again(answer.status) : answer.transport == Transport::not_sent;
        const auto until = clock_.steady_now() + std::max(wait, retry_after(answer));
        if (!again || tries == bounds_.tries_max || until >= end_of_time()) {
            drop(batch.size(), why_not(answer));
            co_return;
        }
        co_await rest(until, false);
        wait = std::min(wait * 2, wait_max);
    }
}

/// Until then; `unless_full`: until there is a batch to send, or the end has begun.
asio::awaitable<void> Tracer::rest(SteadyTime until, bool unless_full) {
    while (true) {
        const auto last = end_of_time();
        const auto end = std::min(until, last);
        if (clock_.steady_now() >= end) co_return;
        if (unless_full && (last != SteadyTime::max() || is_full())) co_return;
        timer_.expires_at(end);
        co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

std::vector<Span> Tracer::take() {
    const std::lock_guard guard{mutex_};
    const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), bounds_.batch_max));
    std::vector<Span> batch{std::make_move_iterator(waiting_.begin()),
                            std::make_move_iterator(waiting_.begin() + count)};
    waiting_.erase(waiting_.begin(), waiting_.begin() + count);
    return batch;
}

bool Tracer::is_full() const {
    const std::lock_guard guard{mutex_};
    return waiting_.size() >= bounds_.batch_max;
}

SteadyTime Tracer::end_of_time() const {
    const std::lock_guard guard{mutex_};
    return last_.value_or(SteadyTime::max());
}

void Tracer::drop(std::size_t count, std::string_view why) {
    dropped_ += count;
    lost_.warn(fmt::format("{} spans did not reach the collector: {}", count, why));
}

std::optional<Span> span_in(const Tracer* tracer, std::string_view trace, std::string_view name,
                            Span::Kind kind) {
    if (tracer == nullptr || trace.empty()) return std::nullopt;
    return tracer->in(trace, name, kind);
}

Tracer::Root begin_span(const Tracer* tracer, std::string_view came, std::string_view name,
                        Span::Kind kind) {
    if (tracer == nullptr) return {std::nullopt, std::string{came}};
    if (!decode_trace(came)) return tracer->begin(name, kind);
    auto span = tracer->in(came, name, kind);
    auto trace = span ? encode_trace(inside(*span)) : std::string{came};
    return {std::move(span), std::move(trace)};
}

void append_spans(Families& families, const Tracer* tracer) {
    const auto append = [&families](const char* name, const char* help, std::uint64_t count) {
        auto family = counter_family(name, help);
        add_series(family, {}, static_cast<double>(count));
        families.push_back(std::move(family));
    };
    append("fanfare_spans_exported_total", "Spans that the collector has taken",
           tracer == nullptr ? 0 : tracer->exported());
    append("fanfare_spans_dropped_total",
           "Spans that were dropped: too many waited, or the collector did not take them",
           tracer == nullptr ? 0 : tracer->dropped());
}

}  // namespace fanfare
