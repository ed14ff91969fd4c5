#include "tests/simulation/verdict.hpp"

#include "core/audience/exclusion.hpp"
#include "core/domain/doubt.hpp"
#include "core/ledger/receipts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare::simulation {
namespace {

/// Where somebody stands: each place of theirs in a chunk.
struct Place {
    const StoreModel::Chunk* chunk;
    std::size_t position;
    [[nodiscard]] Outcome outcome() const {
        return static_cast<Outcome>(chunk->outcomes[position]);
    }
    [[nodiscard]] Reason reason() const { return static_cast<Reason>(chunk->reasons[position]); }
};
using Places = std::map<std::string, std::vector<Place>>;

class Judge {
public:
    Judge(const WorldPlan& plan, const StoreModel& store, const Inbox& inbox)
        : plan_{plan}, store_{store}, inbox_{inbox} {
        for (const auto& [key, chunk] : store.chunks()) {
            for (std::size_t i = 0; i < chunk.recipients.size(); ++i) {
                places_[chunk.recipients[i]].push_back({&chunk, i});
            }
        }
    }

    Verdict judge(const std::map<std::string, StoreModel::NewJob>& orders) {
        for (const auto& [id, order] : orders) {
            const auto* const job = store_.find_job(id);
            if (job == nullptr) verdict_.lost.push_back(fmt::format("job {} was not taken", id));
            for (const auto& person : order.people) judge_person(person, job);
        }
        for (const auto& promise : inbox_.promised()) judge_receipt(promise);
        for (const auto& [held, place] : store_.places()) {
            judge_cap_place(held.first, held.second);
        }
        for (const auto& [human, origins] : inbox_.told_by()) judge_told(human, origins);
        return verdict_;
    }

private:
    void judge_person(const std::string& person, const StoreModel::Job* job) {
        const auto found = places_.find(person);
        if (found == places_.end()) {
            const bool is_over = job != nullptr && job->cancelled_at;
            if (!is_over) verdict_.lost.push_back(fmt::format("{} is in no chunk", person));
            return;
        }
        const auto push = stand(person, found->second, Channel::push);
        const auto mail = stand(person, found->second, Channel::email);
        if (push.last == nullptr) {
            verdict_.lost.push_back(fmt::format("{} was replayed to nowhere", person));
            return;
        }
        std::vector<std::string> devices;
        for (std::size_t i = 0; i < plan_.devices; ++i) devices.push_back(device_of(person, i));
        const auto told = judge_outcome(person, push, devices);
        const bool may_be_turned = plan_.turns && is_unreachable(push.last->reason()) &&
                                   push.last->outcome() != Outcome::unknown;
        // Who has expired, or was cancelled, is not turned to anybody.
        const bool may_be_over = job != nullptr && (job->cancelled_at || job->expires_at);
        if (mail.last != nullptr) {
            const auto again = judge_outcome(person, mail, {mail_of(person)});
            if (told > 0 && again > 0 && push.replayed == 0) {
                verdict_.doubled.push_back(fmt::format("{} was told by push and e-mail", person));
            }
            if (!may_be_turned) {
                verdict_.unexpected.push_back(
                    fmt::format("{} was turned to e-mail without need", person));
            }
        } else if (may_be_turned && !may_be_over) {
            verdict_.lost.push_back(
                fmt::format("{} cannot be reached by push and was turned to nobody", person));
        }
    }

    /// Where somebody stands on one channel.
    struct Standing {
        const Place* last = nullptr;
        std::size_t replayed = 0;
    };
    Standing stand(const std::string& person, const std::vector<Place>& places, Channel channel) {
        Standing standing;
        for (const auto& place : places) {
            if (place.chunk->key.channel != channel) continue;
            if (place.outcome() == Outcome::replayed) {
                ++standing.replayed;
            } else if (standing.last != nullptr) {
                verdict_.unexpected.push_back(fmt::format("{} has two outcomes", person));
            } else {
                standing.last = &place;
            }
        }
        return standing;
    }

    /// How often the devices were told.
    int judge_outcome(const std::string& person, const Standing& standing,
                      const std::vector<std::string>& addresses) {
        const auto& place = *standing.last;
        const auto replayed = standing.replayed;
        const auto outcome = place.outcome();
        int told = 0;
        for (const auto& address : addresses) {
            const auto found = inbox_.devices().find(address);
            if (found == inbox_.devices().end()) continue;
            told += found->second.accepted;
            judge_times(found->first, found->second, replayed);
        }
        const auto say = [&](std::string_view what) {
            return fmt::format("{} is {} ({}) and was told {} times: {}", person,
                               to_string(outcome), to_string(place.reason()), told, what);
        };
        if (!is_final(outcome)) verdict_.lost.push_back(say("not final"));
        if (is_told(outcome) && told == 0) verdict_.falsely_sent.push_back(say("falsely sent"));
        const bool says_so = is_told(outcome) || outcome == Outcome::unknown || replayed > 0;
        if (is_final(outcome) && told > 0 && !says_so) {
            verdict_.lost.push_back(say("nobody knows of it"));
        }
        return told;
    }

    /// Under a cap: who was told holds a place, and the other way round.
    void judge_told(const std::string& human, const std::set<std::string>& origins) {
        for (const auto& origin : origins) {
            if (store_.places().contains({human, origin})) continue;
            verdict_.unexpected.push_back(
                fmt::format("{} was told and holds no place under the cap", human));
        }
    }
    void judge_cap_place(const std::string& human, const std::string& origin) {
        for (const auto& [person, places] : places_) {
            if (StoreModel::human_of(person) != human) continue;
            for (const auto& place : places) {
                if (store_.origin_of(place.chunk->key.job) != origin) continue;
                const auto outcome = place.outcome();
                if (is_told(outcome) || outcome == Outcome::unknown) return;
                if (outcome == Outcome::replayed && is_doubt(place.reason())) return;
            }
        }
        verdict_.unexpected.push_back(
            fmt::format("{} holds a place under the cap and was not told", human));
    }

    /// How often one device may be told: once, and once more for each doubt or replay.
    void judge_times(const std::string& address, const Inbox::Device& device,
                     std::size_t replayed) {
        auto may = 1 + static_cast<int>(replayed);
        if (plan_.on_doubt == DoubtPolicy::resend) {
            may += device.doubts;
            may += store_.drains_cut_off();
            for (const auto kind : {MoveKind::crash, MoveKind::pause, MoveKind::outage}) {
                may += static_cast<int>(plan_.count(kind));
            }
            if (plan_.odds.slow_query > 0) may += 2;  // Beyond the lease, as a pause.
            may += 2 * static_cast<int>(plan_.count(MoveKind::clock));  // There, and back.
        }
        constexpr int attempts_max = 5;
        if (device.doubts > attempts_max + static_cast<int>(replayed * attempts_max) +
                                static_cast<int>(plan_.moves.size())) {
            verdict_.unexpected.push_back(
                fmt::format("{} was asked for {} times without an answer", address, device.doubts));
        }
        if (device.accepted > may) {
            verdict_.doubled.push_back(
                fmt::format("{} was told {} times", address, device.accepted));
        }
    }

    /// What a receipt said is not forgotten.
    void judge_receipt(const Inbox::Promise& promise) {
        const auto found = places_.find(promise.person);
        if (found == places_.end()) return;
        for (const auto& place : found->second) {
            if (place.outcome() == Outcome::replayed) continue;
            if (place.chunk->key.channel != promise.key.channel) continue;
            if (ledger::raise(place.outcome(), place.reason(), promise.event)) {
                verdict_.unexpected.push_back(
                    fmt::format("{} is {}, and a receipt said {}", promise.person,
                                to_string(place.outcome()), to_string(promise.event)));
            }
        }
    }

    const WorldPlan& plan_;
    const StoreModel& store_;
    const Inbox& inbox_;
    Places places_;
    Verdict verdict_;
};

}  // namespace

std::string Verdict::first() const {
    if (!broken.empty()) return broken;
    if (!lost.empty()) return "lost: " + lost.front();
    if (!doubled.empty()) return "doubled: " + doubled.front();
    if (!falsely_sent.empty()) return "falsely sent: " + falsely_sent.front();
    if (!unexpected.empty()) return "unexpected: " + unexpected.front();
    return {};
}

Verdict judge(const WorldPlan& plan, const StoreModel& store, const Inbox& inbox,
              const std::map<std::string, StoreModel::NewJob>& orders) {
    auto verdict = Judge{plan, store, inbox}.judge(orders);
    verdict.broken = store.broken();
    return verdict;
}

}  // namespace fanfare::simulation
