#pragma once

#include "core/postgres/pool.hpp"
#include "worker/send/resolve.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>

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

/// The systems' databases and the ledger.
///
/// Lifetime  the ledger's pool outlives it.
class DatabaseContacts final : public ContactSource {
public:
    explicit DatabaseContacts(postgres::Pool& ledger) : ledger_{ledger} {}
    [[nodiscard]] boost::asio::awaitable<Result<ContactsRead>> load(
        const Claim& claim, const ledger::ChunkPeople& people, Resolved& resolved) override {
        return claim.job->source->run("load contacts", [&](postgres::Connection& source) {
            return load_contacts(source, claim, people, resolved);
        });
    }
    [[nodiscard]] boost::asio::awaitable<Result<void>> suppress(
        const Claim& claim, const ledger::ChunkPeople& people, Resolved& resolved,
        const std::function<void()>& compose) override {
        return ledger_.run("suppress and render", [&](postgres::Connection& ledger) {
            apply_suppressions(ledger, claim, people, resolved);
            compose();
        });
    }

private:
    postgres::Pool& ledger_;
};

}  // namespace fanfare
