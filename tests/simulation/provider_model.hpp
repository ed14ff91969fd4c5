#pragma once

#include "core/http/client.hpp"
#include "core/providers/provider.hpp"
#include "tests/simulation/plan.hpp"
#include "tests/simulation/store_model.hpp"

#include <boost/asio/io_context.hpp>

#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::simulation {

/// One request, as it was written and read again.
struct Asked {
    std::string account, job;
    std::int32_t chunk = 0;
    Channel channel = Channel::push;
    int credential = 0;
    std::vector<std::string> addresses;
    [[nodiscard]] ledger::ChunkKey key() const { return {job, channel, chunk}; }
};
[[nodiscard]] Asked parse_request(const std::string& body);

/// Whose device an address is: "u3" of "u3/1"; mail goes to "u3/mail".
[[nodiscard]] std::string person_of(const std::string& address);
[[nodiscard]] std::size_t device_number(const std::string& address);
[[nodiscard]] std::string device_of(const std::string& person, std::size_t device);
[[nodiscard]] std::string mail_of(const std::string& person);
/// Where people are turned to another channel: who needs it, because they have no device, or
/// because the provider calls each of theirs dead.
[[nodiscard]] bool has_no_device(const std::string& person);
[[nodiscard]] bool has_dead_devices(const std::string& person);

/// What stands in the settings file, which workers read again now and then.
struct SettingsFile {
    int revision = 0;
    double per_second = 40;
    std::uint32_t concurrency = 4;
    std::uint32_t weight = 1;
    std::map<std::string, int> credentials;  // By account.
};

/// What an account does with everybody for a while.
enum class Storm : std::uint8_t { none, broken, unreachable, silent };

/// What the outside world knows for certain: who was asked for, when and how often, who took the
/// message, and whether anybody was asked for who must not be. The oracle.
class Inbox {
public:
    struct Device {
        int accepted = 0;
        int asked = 0;
        int doubts = 0;  // Answers that said nothing, or that nobody heard.
        bool in_flight = false;
        std::string in_doubt_with;  // The account that may have taken it ...
        std::string in_doubt_of;    // ... and the job: whoever replays it may choose another.
    };
    struct Parts {
        const WorldPlan& plan;
        const Clock& clock;
        StoreModel& store;
        Story& story;
    };
    explicit Inbox(const Parts& parts) : parts_{parts} {}

    void begins(const Asked& asked);
    void ends(const Asked& asked);
    void accepts(const std::string& address, const Asked& asked);
    void doubts(const std::string& address, const Asked& asked);
    void answers(const std::string& address);
    void leaves(const std::string& person);
    /// From now on so many a second may be asked of an account, by whoever has read that.
    void allows(double per_second);
    /// Credentials below this one are worth nothing any more.
    void revokes(const std::string& account, int below) { valid_from_[account] = below; }
    [[nodiscard]] bool knows(const Asked& asked) const;
    void begins_storm(const std::string& account, Storm storm, SteadyTime until) {
        storms_[account] = {until, storm};
    }
    [[nodiscard]] Storm storm_of(const std::string& account) const;
    void promises(const std::string& person, const ledger::ChunkKey& key, ReceiptEvent event);

    [[nodiscard]] bool has_left(const std::string& person) const { return left_.contains(person); }
    [[nodiscard]] const std::map<std::string, Device>& devices() const { return devices_; }
    struct Promise {
        std::string person;
        ledger::ChunkKey key;
        ReceiptEvent event{};
    };
    /// Under a cap: the jobs that told somebody.
    [[nodiscard]] const std::map<std::string, std::set<std::string>>& told_by() const {
        return told_by_;
    }
    /// Receipts that were handed in.
    [[nodiscard]] const std::vector<Promise>& promised() const { return promised_; }

private:
    void check_rate(const std::string& account);
    void check_job(const Asked& asked);
    void check_people(const Asked& asked);
    void check_sleep(const std::string& address);
    void check_turn(const Asked& asked, const std::string& address);
    [[nodiscard]] double rate_max() const;
    [[nodiscard]] SteadyTime::duration grace() const;

    Parts parts_;
    std::map<std::string, Device> devices_;
    std::map<std::string, std::deque<SteadyTime>> calls_;  // Of the last second, by account.
    std::map<std::string, SteadyTime> left_;
    std::vector<Promise> promised_;
    std::vector<std::pair<SteadyTime, double>> rates_;  // And when each was over; the last is not.
    std::map<std::string, int> valid_from_;
    std::map<std::string, std::pair<SteadyTime, Storm>> storms_;
    std::map<std::string, std::set<std::string>> told_by_;  // Jobs that told somebody.
};

/// Writes requests that SimulatedHttp reads: some people each.
class PushProvider final : public Provider {
public:
    struct Parts {
        std::string account;
        Channel channel = Channel::push;
        std::size_t batch = 1;
        Plant plant = Plant::none;
        int credential = 0;
    };
    explicit PushProvider(Parts parts)
        : parts_{std::move(parts)}, batch_{parts_.batch}, plant_{parts_.plant} {}
    [[nodiscard]] std::string_view type() const noexcept override { return "simulated"; }
    [[nodiscard]] Channel channel() const noexcept override { return parts_.channel; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return batch_; }
    void compose(const Batch& batch, HttpRequest& out) const override;
    [[nodiscard]] BatchAnswer read(const HttpAnswer& answer, std::size_t count,
                                   std::int64_t now_unix) const override;

private:
    [[nodiscard]] BatchAnswer read_people(const std::string& body) const;

    Parts parts_;
    std::size_t batch_;
    Plant plant_;
};

/// A provider that answers at once, late, with 429, 400, 500, 502, nonsense or never, by the dice.
/// It runs outside of the workers: what they sent arrives though they die or stand still.
class SimulatedHttp final : public HttpClient {
public:
    struct Parts {
        boost::asio::any_io_executor worker, outside;
        const WorldPlan& plan;
        StoreModel& store;
        Inbox& inbox;
        Story& story;
    };
    SimulatedHttp(Parts parts, const HttpOptions& options)
        : parts_{std::move(parts)},
          timeout_{options.timeout},
          requests_max_{options.connections_max} {}
    void start(const HttpRequest& request, Done done) override;
    [[nodiscard]] std::size_t in_flight() const noexcept override { return in_flight_; }

private:
    template <class T>
    using Awaitable = boost::asio::awaitable<T>;
    [[nodiscard]] Awaitable<void> carry(Asked asked, Done done);
    [[nodiscard]] Awaitable<HttpAnswer> answer(const Asked& asked, Dice& dice);
    [[nodiscard]] std::string serve(const Asked& asked, Dice& dice);
    [[nodiscard]] Awaitable<void> tell_later(ledger::ChunkKey key, std::string person, Dice dice);
    void accept(const Asked& asked, const std::string& address, Dice& dice);
    [[nodiscard]] bool is_cursed(const std::string& address) const;

    Parts parts_;
    std::chrono::milliseconds timeout_;
    std::size_t requests_max_;
    std::size_t in_flight_ = 0;
};

}  // namespace fanfare::simulation
