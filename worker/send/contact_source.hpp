#pragma once

#include "core/async/grouped.hpp"
#include "core/postgres/pool.hpp"
#include "worker/send/resolve.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace fanfare {

/// Who of a claimed chunk can be told, and where, as that is now.
///
/// Threads   one serial executor, on which the answers come as well.
/// Lifetime  what is passed outlives the await.
class ContactSource {
public:
    virtual ~ContactSource() = default;
    /// As load_contacts(); fails where the system's database is away.
    [[nodiscard]] virtual boost::asio::awaitable<Result<ContactsRead>> load(
        const Claim& claim, const ledger::ChunkPeople& people, Resolved& resolved) = 0;
    /// As apply_suppressions(), and then `compose` in the same turn, which is nothing but work.
    [[nodiscard]] virtual boost::asio::awaitable<Result<void>> suppress(
        const Claim& claim, const ledger::ChunkPeople& people, Resolved& resolved,
        const std::function<void()>& compose) = 0;
};

/// The systems' databases and the ledger. Small chunks that are asked for while others of their
/// system and channel are being looked up are looked up together, by one statement. What fails
/// together is asked for alone: nobody's data costs anybody else. Urgent ones wait for nobody.
///
/// Bounds    together_max chunks of small_people_max people a statement.
/// Lifetime  the ledger's pool outlives it.
class DatabaseContacts final : public ContactSource {
public:
    static constexpr std::size_t small_people_max = 32;
    static constexpr std::size_t together_max = 32;
    explicit DatabaseContacts(postgres::Pool& ledger) : ledger_{ledger} {}
    [[nodiscard]] boost::asio::awaitable<Result<ContactsRead>> load(
        const Claim& claim, const ledger::ChunkPeople& people, Resolved& resolved) override;
    [[nodiscard]] boost::asio::awaitable<Result<void>> suppress(
        const Claim& claim, const ledger::ChunkPeople& people, Resolved& resolved,
        const std::function<void()>& compose) override;

private:
    struct Suppression {
        PeopleLookup lookup;
        const std::function<void()>* compose = nullptr;
    };
    template <class T>
    using Answer = std::optional<Result<T>>;  // Nothing: ask alone.
    using Loading = Grouped<PeopleLookup, Answer<ContactsRead>>;
    using Suppressing = Grouped<Suppression, Answer<void>>;

    [[nodiscard]] boost::asio::awaitable<Result<ContactsRead>> load_alone(PeopleLookup lookup);
    [[nodiscard]] boost::asio::awaitable<std::vector<Answer<ContactsRead>>> load_all(
        std::span<const PeopleLookup> lookups);
    [[nodiscard]] boost::asio::awaitable<Result<void>> suppress_alone(Suppression suppression);
    [[nodiscard]] boost::asio::awaitable<std::vector<Answer<void>>> suppress_all(
        std::span<const Suppression> suppressions);

    postgres::Pool& ledger_;
    // Of those whose chunks one statement can look up: as many as systems have channels and lists.
    std::map<std::pair<const System*, Channel>, Loading> loading_;
    std::map<std::tuple<const System*, Channel, std::string>, Suppressing> suppressing_;
};

}  // namespace fanfare
