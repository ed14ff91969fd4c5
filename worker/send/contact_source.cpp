#include "worker/send/contact_source.hpp"

#include "worker/send/contact_query.hpp"

namespace fanfare {

namespace asio = boost::asio;

namespace {

bool is_small(const Claim& claim, const ledger::ChunkPeople& people) {
    return claim.lane != Lane::urgent &&
           people.recipients.elements.size() <= DatabaseContacts::small_people_max;
}

}  // namespace

asio::awaitable<Result<ContactsRead>> DatabaseContacts::load(const Claim& claim,
                                                             const ledger::ChunkPeople& people,
                                                             Resolved& resolved) {
    const PeopleLookup mine{&claim, &people, &resolved};
    if (is_small(claim, people) && find_contact(*claim.job, claim.key.channel)) {
        const auto load_them = [this](auto lookups) { return load_all(lookups); };
        const auto of = std::make_pair(claim.job->system, claim.key.channel);
        auto& loading = loading_.try_emplace(of, load_them, together_max).first->second;
        auto answer = co_await loading.ask(mine);
        if (answer) co_return std::move(*answer);
    }
    co_return co_await load_alone(mine);
}

asio::awaitable<Result<ContactsRead>> DatabaseContacts::load_alone(PeopleLookup lookup) {
    const auto load = [lookup](postgres::Connection& source) {
        return load_contacts(source, *lookup.claim, *lookup.people, *lookup.resolved);
    };
    co_return co_await lookup.claim->job->source->run("load contacts", load);
}

asio::awaitable<std::vector<DatabaseContacts::Answer<ContactsRead>>> DatabaseContacts::load_all(
    std::span<const PeopleLookup> lookups) {
    if (lookups.size() == 1) {
        auto loaded = co_await load_alone(lookups.front());
        co_return std::vector<Answer<ContactsRead>>{std::move(loaded)};
    }
    const auto look = [lookups](postgres::Connection& source) {
        return load_contacts_together(source, lookups);
    };
    auto done = co_await lookups.front().claim->job->source->run("load contacts", look);
    Answer<ContactsRead> answer;
    if (done && done.value()) answer = ContactsRead::whole;
    co_return std::vector<Answer<ContactsRead>>(lookups.size(), answer);
}

asio::awaitable<Result<void>> DatabaseContacts::suppress(const Claim& claim,
                                                         const ledger::ChunkPeople& people,
                                                         Resolved& resolved,
                                                         const std::function<void()>& compose) {
    const Suppression mine{{&claim, &people, &resolved}, &compose};
    if (is_small(claim, people) && may_be_asked_together(*claim.job)) {
        const auto suppress_them = [this](auto all) { return suppress_all(all); };
        const auto of =
            std::make_tuple(claim.job->system, claim.key.channel, claim.job->kind->list);
        auto& suppressing = suppressing_.try_emplace(of, suppress_them, together_max).first->second;
        auto answer = co_await suppressing.ask(mine);
        if (answer) co_return std::move(*answer);
    }
    co_return co_await suppress_alone(mine);
}

asio::awaitable<Result<void>> DatabaseContacts::suppress_alone(Suppression suppression) {
    const auto look = [suppression](postgres::Connection& ledger) {
        const auto& [lookup, compose] = suppression;
        apply_suppressions(ledger, *lookup.claim, *lookup.people, *lookup.resolved);
        (*compose)();
    };
    co_return co_await ledger_.run("suppress and render", look);
}

asio::awaitable<std::vector<DatabaseContacts::Answer<void>>> DatabaseContacts::suppress_all(
    std::span<const Suppression> suppressions) {
    if (suppressions.size() == 1) {
        auto done = co_await suppress_alone(suppressions.front());
        co_return std::vector<Answer<void>>{std::move(done)};
    }
    std::vector<PeopleLookup> lookups;
    for (const auto& one : suppressions) lookups.push_back(one.lookup);
    const auto look = [&](postgres::Connection& ledger) {
        apply_suppressions_together(ledger, lookups);
        for (const auto& one : suppressions) (*one.compose)();
    };
    const auto done = co_await ledger_.run("suppress and render", look);
    Answer<void> answer;
    if (done) answer = Result<void>{};
    co_return std::vector<Answer<void>>(suppressions.size(), answer);
}

}  // namespace fanfare
