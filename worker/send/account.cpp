#include "worker/send/account.hpp"

#include "core/domain/printable.hpp"
#include "core/http/h1_client.hpp"
#include "core/http/h2_client.hpp"
#include "core/providers/http1_option.hpp"
#include "core/providers/http2_option.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::minutes renew_before{4};
constexpr std::chrono::seconds renew_again_after{5};
constexpr std::chrono::seconds pause_without_credential{10};
constexpr std::chrono::milliseconds held_wait{1'000};    // Then it may have been let go.
constexpr std::chrono::milliseconds unproven_wait{100};  // Then its requests may have told more.

constexpr int patience_of_timeout = 5;  // Where nobody is answered for a fifth of it, it stalls.

constexpr std::uint32_t streams_per_connection = 100;

// A wait for the ledger before each request counts beside such an answer, not beside a slow one.
constexpr std::chrono::milliseconds quick_answer{50};

constexpr double small_chunk = 32;  // Smaller ones for the sake of the rate would cost more.

/// Requests of HTTP/1.1 need a connection each, streams of HTTP/2 share few.
std::uint32_t connections_max(const Account::Parts& parts) {
    const auto concurrency = parts.settings.rate.concurrency;
    if (!parts.provider->uses_http2()) return concurrency;
    return (concurrency + streams_per_connection - 1) / streams_per_connection;
}

/// A batch of a thousand leaves in one or two writes; a single message needs no such buffer.
std::uint32_t upload_bytes(const Provider& provider) {
    return provider.batch_max() > 1 ? 256 * 1024 : 16 * 1024;
}

/// What carries the provider's requests out: by nghttp2 where HTTP/2 is all that it knows, by
/// libcurl where they are mails.
std::unique_ptr<HttpClient> open_client(const asio::any_io_executor& executor,
                                        const Account::Parts& parts) {
    const auto& settings = parts.settings;
    const HttpOptions options{.timeout = settings.timeout,
                              .connections_max = connections_max(parts),
                              .upload_bytes = upload_bytes(*parts.provider),
                              .ca_file = settings.ca_file,
                              .allow_http = settings.allow_http};
    if (parts.connect) return parts.connect(options);
    if (parts.provider->uses_http2()) {
        return wants_nghttp2(settings) ? make_h2_client(executor, options, parts.clock)
                                       : HttpClient::create(executor, options);
    }
    if (!parts.provider->uses_smtp() && wants_beast(settings)) {
        return make_h1_client(executor, options, parts.clock);
    }
    return HttpClient::create(executor, options);
}

/// True for what says nothing of the message: no answer, or one that blames the provider.
bool is_bad(const BatchAnswer& answer) {
    if (answer.verdict == Verdict::ambiguous) return true;
    // Where it names who was at fault, it is in good health.
    return answer.verdict == Verdict::transient && !answer.resend_rest;
}

/// True when the account did for somebody what it is there for, or refused them with good reason.
bool has_served(const BatchAnswer& answer) {
    return answer.resend_rest || (!is_bad(answer) && answer.verdict != Verdict::throttle &&
                                  answer.verdict != Verdict::config);
}

}  // namespace

Account::Account(const asio::any_io_executor& executor, Parts parts)
    : executor_{executor},
      parts_{std::move(parts)},
      http_{open_client(executor, parts_)},
      pacer_{executor,
             parts_.bucket,
             parts_.clock,
             {.account = parts_.settings.name, .per_second = parts_.settings.rate.per_second}},
      permits_{parts_.settings.rate.concurrency},
      breaker_{{.patience = parts_.settings.timeout / patience_of_timeout}},
      boarding_{{executor, permits_, breaker_, parts_.clock, [this] { return is_shut(); }}},
      fetched_{executor} {}

std::unique_ptr<HttpClient> Account::connect(const HttpOptions& options) const {
    return parts_.connect ? parts_.connect(options) : HttpClient::create(executor_, options);
}

std::size_t Account::batch_max() const noexcept {
    const auto own = parts_.provider->batch_max();
    const auto configured = std::size_t{parts_.settings.batch_max};
    return configured == 0 ? own : std::min(own, configured);
}

std::size_t Account::tokens_for(std::size_t recipients) const noexcept {
    if (parts_.provider->rate_unit() != RateUnit::requests) return recipients;
    return (recipients + batch_max() - 1) / batch_max();
}

std::uint32_t Account::chunk_people(std::uint32_t most) const noexcept {
    const double rate = parts_.settings.rate.per_second;
    if (rate <= 0) return most;
    const bool counts_requests = parts_.provider->rate_unit() == RateUnit::requests;
    const double a_second = rate * (counts_requests ? static_cast<double>(batch_max()) : 1.0);
    double people = std::floor(a_second * 2);
    if (batch_max() == 1)
        people = std::min(people, std::max(small_chunk, std::floor(a_second / 2)));
    return static_cast<std::uint32_t>(std::clamp(people, 1.0, static_cast<double>(most)));
}

void Account::answered(const BatchAnswer& answer, std::size_t people, Breaker::Era era,
                       std::chrono::microseconds took) {
    const bool bad = is_bad(answer);
    if (bad) {
        serves_ = false;
        note_mishap(answer.detail);
    }
    if (has_served(answer)) {
        serves_ = true;
        answer_took_ = answer_took_ ? (7 * *answer_took_ + took) / 8 : took;
    }
    permits_.set_ahead(has_served(answer) && may_mark_ahead());
    const auto now = parts_.clock.steady_now();
    const bool was_closed = breaker_.state(now) == Breaker::State::closed;
    breaker_.answered(era, !bad, people, now, took);
    const bool is_closed = breaker_.state(now) == Breaker::State::closed;
    if (was_closed && !is_closed) {
        spdlog::error("account {} keeps failing ({}): its work moves to others, if there are any",
                      parts_.settings.name, answer.detail);
    } else if (!was_closed && is_closed) {
        spdlog::info("account {} works again", parts_.settings.name);
    }
    parts_.probe.broken(!is_closed);
}

/// Where permits bound it, and not the rate: late slots are exchanged for others, so that who is
/// marked ahead may take two.
bool Account::may_mark_ahead() const {
    if (batch_max() != 1 || !answer_took_ || *answer_took_ >= quick_answer) return false;
    const double rate = rate_by_hand_.value_or(parts_.settings.rate.per_second);
    const auto at_once = static_cast<double>(permits_.limit());
    return rate <= 0 || 2 * at_once <= rate * std::chrono::duration<double>(*answer_took_).count();
}

void Account::reload(std::shared_ptr<Provider> provider) {
    parts_.provider = std::move(provider);
    credential_good_until_ = {};
    credential_fetched_at_ = {};
    paused_until_ = {};
    parts_.probe.paused(false);
    boarding_.look_again();
    spdlog::info("account {} has new credentials", parts_.settings.name);
}

bool Account::is_usable() const noexcept {
    return !is_paused() && !held_ && breaker_.room(parts_.clock.steady_now()) > 0;
}

bool Account::is_shut() const noexcept {
    return is_paused() || held_ ||
           breaker_.state(parts_.clock.steady_now()) == Breaker::State::open;
}

std::chrono::milliseconds Account::unusable_for() const noexcept {
    auto shut_for = std::max(paused_for(), breaker_.open_for(parts_.clock.steady_now()));
    if (held_) shut_for = std::max(shut_for, held_wait);
    return is_usable() ? shut_for : std::max(shut_for, unproven_wait);
}

void Account::pause(std::chrono::milliseconds wait, std::string_view why) {
    if (!is_paused()) {
        spdlog::error("account {} is paused for {} s: {}; check its credentials and settings",
                      parts_.settings.name, wait.count() / 1000, why);
    }
    note_mishap(why);
    paused_until_ = std::max(paused_until_, parts_.clock.steady_now() + wait);
    parts_.probe.paused(true);
    boarding_.look_again();
}

void Account::note_mishap(std::string_view what) {
    constexpr std::size_t bytes_max = 300;
    mishap_ = {printable(what.substr(0, bytes_max)), parts_.clock.now()};
}

void Account::set_limits(const AccountSettings& settings) {
    auto& own = parts_.settings;
    own.weight = settings.weight;
    own.rate = settings.rate;
    permits_.set_max(own.rate.concurrency);
    pacer_.set_rate(rate_by_hand_.value_or(own.rate.per_second));
    boarding_.look_again();
}

void Account::set_rate_by_hand(std::optional<double> per_second) {
    if (per_second == rate_by_hand_) return;
    rate_by_hand_ = per_second;
    pacer_.set_rate(per_second.value_or(parts_.settings.rate.per_second));
    if (per_second) {
        spdlog::warn("account {}: {} a second, as an operator has set", parts_.settings.name,
                     *per_second);
    } else {
        spdlog::info("account {}: the settings' rate again", parts_.settings.name);
    }
}

void Account::show() {
    const auto state = breaker_.state(parts_.clock.steady_now());
    parts_.probe.stands({.rate = rate_by_hand_.value_or(parts_.settings.rate.per_second),
                         .used = used_,
                         .breaker = static_cast<std::size_t>(state),
                         .held = held_});
}

void Account::set_held(bool held) {
    if (held == held_) return;
    held_ = held;
    boarding_.look_again();
}

bool Account::is_paused() const noexcept { return parts_.clock.steady_now() < paused_until_; }

std::chrono::milliseconds Account::paused_for() const noexcept {
    return std::max(std::chrono::milliseconds{0}, std::chrono::ceil<std::chrono::milliseconds>(
                                                      paused_until_ - parts_.clock.steady_now()));
}

asio::awaitable<bool> Account::authorize(bool renew) {
    parts_.probe.paused(is_paused());
    if (!parts_.provider->credential_exchange(0)) co_return true;
    while (true) {
        const auto now = parts_.clock.steady_now();
        // A stale token is told by many answers at once: one renewal serves them all.
        const bool stale = renew && now - credential_fetched_at_ > renew_again_after;
        if (!stale && now < credential_good_until_) co_return true;
        if (!fetching_) break;
        co_await fetched_.wait();
        renew = false;
    }
    fetching_ = true;
    const bool fetched = co_await fetch_credential();
    fetching_ = false;
    fetched_.notify();
    co_return fetched;
}

asio::awaitable<bool> Account::fetch_credential() {
    const auto unix_now =
        std::chrono::duration_cast<std::chrono::seconds>(parts_.clock.now().time_since_epoch())
            .count();
    const auto exchange = parts_.provider->credential_exchange(unix_now);
    // A client of its own: a kept HTTP/1.1 connection to the same host would take the place
    // of the one that the streams share, and they would go one by one.
    const auto http = connect({.timeout = parts_.settings.timeout,
                               .connections_max = 1,
                               .ca_file = parts_.settings.ca_file,
                               .allow_http = parts_.settings.allow_http});
    const auto answer = co_await http->send(exchange->request);
    auto credential = parts_.provider->read_credential(answer);
    if (!credential) {
        pause(pause_without_credential, describe(credential.error()));
        co_return false;
    }
    const auto now = parts_.clock.steady_now();
    const auto lifetime = credential.value().lifetime;
    // Short-lived ones (tests) are renewed at three quarters.
    const auto early = std::min<std::chrono::seconds>(renew_before, lifetime / 4);
    credential_fetched_at_ = now;
    credential_good_until_ = now + lifetime - early;
    parts_.probe.credential_until(parts_.clock.now() + lifetime);
    parts_.provider->set_credential(std::move(credential.value().value));
    co_return true;
}

}  // namespace fanfare
