// What providers say later, in any order.
#include "core/ledger/receipts.hpp"
#include "tests/simulation/store_model.hpp"

#include <algorithm>

namespace fanfare::simulation {
namespace {

bool proves_arrival(ReceiptEvent event) {
    return event == ReceiptEvent::accepted || event == ReceiptEvent::delivered ||
           event == ReceiptEvent::opened || event == ReceiptEvent::clicked;
}

}  // namespace

void StoreModel::hear(const ledger::ChunkKey& key, std::uint32_t position, ReceiptEvent event) {
    const auto found = chunks_.find(key);
    if (found == chunks_.end() || position >= found->second.recipients.size()) return;
    auto& chunk = found->second;
    const auto person = chunk.recipients[position];
    if (chunk.state == State::claimed && plant_ != Plant::receipt_over_claim) {
        if (plant_ != Plant::early_forgotten) early_.push_back({key, position, event});
        story_.tell("a receipt of {} waits: {}", person, to_string(event));
        return;
    }
    const auto outcome = static_cast<Outcome>(chunk.outcomes[position]);
    if (outcome == Outcome::replayed) {
        if (!proves_arrival(event)) return;
        for (auto& [other, theirs] : chunks_) {  // Where they stand now.
            const auto* const job = find_job(other.job);
            if (job == nullptr || job->replay_of != key.job || other.channel != key.channel) {
                continue;
            }
            const auto place =
                std::find(theirs.recipients.begin(), theirs.recipients.end(), person);
            if (place == theirs.recipients.end()) continue;
            hear(other, static_cast<std::uint32_t>(place - theirs.recipients.begin()), event);
            return;
        }
        return;
    }
    auto raised = ledger::raise(outcome, static_cast<Reason>(chunk.reasons[position]), event);
    if (plant_ == Plant::receipt_falls && !raised) {
        raised = ledger::raise(Outcome::pending, Reason::none, event);
    }
    if (!raised) return;
    chunk.is_untouched = false;
    chunk.updated_at = std::max(chunk.updated_at, now());
    chunk.outcomes[position] = static_cast<char>(raised->outcome);
    chunk.reasons[position] = static_cast<char>(raised->reason);
    chunk.causes[position] = '\0';
    story_.tell("{} is {}, says a receipt", person, to_string(raised->outcome));
}

void StoreModel::apply_early() {
    auto words = std::move(early_);
    early_.clear();
    for (const auto& word : words) {
        if (chunks_.at(word.key).state == State::claimed) {
            early_.push_back(word);
        } else {
            hear(word.key, word.position, word.event);
        }
    }
}

}  // namespace fanfare::simulation
