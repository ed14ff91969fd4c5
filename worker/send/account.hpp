#pragma once

#include "core/clock/clock.hpp"
#include "core/http/client.hpp"
#include "core/providers/provider.hpp"
#include "core/settings/settings.hpp"
#include "worker/probes/probes.hpp"
#include "worker/send/boarding.hpp"
#include "worker/send/breaker.hpp"
#include "worker/send/pacer.hpp"
#include "worker/send/permits.hpp"
#include "worker/send/sender_refusals.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace fanfare {

/// One provider account at work: its provider, connections, rate, credential and health.
///
/// Threads   one serial executor; the provider's const functions from any.
/// Lifetime  outlives every chunk that it serves.
class Account {
public:
    /// What carries its requests out.
    using Connect = std::function<std::unique_ptr<HttpClient>(const HttpOptions&)>;
    struct Parts {
        AccountSettings settings;
        std::shared_ptr<Provider> provider;
        RateBucket& bucket;
        const Clock& clock;
        AccountProbe& probe;
        Connect connect{};  // None: as its options say.
    };
    Account(const boost::asio::any_io_executor& executor, Parts parts);

    [[nodiscard]] const AccountSettings& settings() const noexcept { return parts_.settings; }
    /// Whoever composes and reads with it holds it: reload() may replace it meanwhile.
    [[nodiscard]] const std::shared_ptr<Provider>& provider() const noexcept {
        return parts_.provider;
    }
    [[nodiscard]] Breaker& breaker() noexcept { return breaker_; }
    [[nodiscard]] Pacer& pacer() noexcept { return pacer_; }
    [[nodiscard]] Permits& permits() noexcept { return permits_; }
    [[nodiscard]] Boarding& boarding() noexcept { return boarding_; }
    [[nodiscard]] SenderRefusals& sender_refusals() noexcept { return sender_refusals_; }
    [[nodiscard]] AccountProbe& probe() noexcept { return parts_.probe; }
    [[nodiscard]] HttpClient& http() noexcept { return *http_; }
    [[nodiscard]] std::size_t batch_max() const noexcept;

    /// How many of at most so many people a chunk may hold: two seconds of the account's rate, so
    /// that a crash leaves little in doubt and a claim is sent well within its lease. Where each
    /// person is a request, half a second of it: while one chunk waits for its last answers, the
    /// next ones use the rate.
    [[nodiscard]] std::uint32_t chunk_people(std::uint32_t most) const noexcept;
    /// Tokens of the account's rate that so many recipients take, as far as can be told.
    [[nodiscard]] std::size_t tokens_for(std::size_t recipients) const noexcept;

    /// A request for so many people ended that began in this era of the breaker, after so long:
    /// what it says of the account's health.
    void answered(const BatchAnswer& answer, std::size_t people, Breaker::Era era,
                  std::chrono::microseconds took = {});

    /// False from a passing fault on until the account has served somebody: until then nobody
    /// knows whose fault it was.
    [[nodiscard]] bool serves() const noexcept { return serves_; }

    /// Other limits and another weight: `settings` as they stand in the file now. Connections stay
    /// as many as they were at first, so that more requests at once than then wait for one.
    void set_limits(const AccountSettings& settings);
    /// What an operator set instead of the settings' rate; nothing: took it back.
    void set_rate_by_hand(std::optional<double> per_second);

    /// Tokens of its rate that requests have begun with since the start.
    [[nodiscard]] std::uint64_t used() const noexcept { return used_; }
    void count_used(std::size_t tokens) noexcept { used_ += tokens; }
    /// Has a scrape show how it stands now.
    void show();
    /// What went wrong last, for an operator; never an address.
    struct Mishap {
        std::string what;
        std::optional<TimePoint> at;
    };
    [[nodiscard]] const Mishap& last_mishap() const noexcept { return mishap_; }

    /// New credentials: what begins from now on uses them, and a pause for the old ones ends.
    void reload(std::shared_ptr<Provider> provider);

    /// Neither paused, held nor broken nor full of requests that have to prove it: one may begin.
    [[nodiscard]] bool is_usable() const noexcept;
    /// Paused, held or broken: nothing begins for a while.
    [[nodiscard]] bool is_shut() const noexcept;
    [[nodiscard]] std::chrono::milliseconds unusable_for() const noexcept;

    /// A credential of CONFIG kind was refused, or the account is not usable: nobody is sent
    /// to it for a while, and nobody's attempts are used up.
    void pause(std::chrono::milliseconds wait, std::string_view why);
    [[nodiscard]] bool is_paused() const noexcept;
    /// An operator holds it back, or its channel: nothing begins until they let it go.
    void set_held(bool held);
    [[nodiscard]] std::chrono::milliseconds paused_for() const noexcept;

    /// Makes sure there is a live access token; one fetch at a time, renewed well before the
    /// end. False when none can be had: the account is paused then.
    [[nodiscard]] boost::asio::awaitable<bool> authorize(bool renew = false);

private:
    [[nodiscard]] std::unique_ptr<HttpClient> connect(const HttpOptions& options) const;
    [[nodiscard]] boost::asio::awaitable<bool> fetch_credential();
    void note_mishap(std::string_view what);
    [[nodiscard]] bool may_mark_ahead() const;

    boost::asio::any_io_executor executor_;
    Parts parts_;
    std::unique_ptr<HttpClient> http_;
    Pacer pacer_;
    Permits permits_;
    Breaker breaker_;
    Boarding boarding_;
    SenderRefusals sender_refusals_;
    Signal fetched_;
    SteadyTime paused_until_{};
    SteadyTime credential_good_until_{};
    SteadyTime credential_fetched_at_{};
    std::optional<std::chrono::microseconds> answer_took_;  // Lately, of those that served.
    bool fetching_ = false;
    bool serves_ = false;
    bool held_ = false;
    std::optional<double> rate_by_hand_;
    std::uint64_t used_ = 0;
    Mishap mishap_;
};

}  // namespace fanfare
