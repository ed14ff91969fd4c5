#include "producer/figures/elected.hpp"

#include "core/ledger/lease.hpp"
#include "producer/figures/families.hpp"

#include <spdlog/spdlog.h>

namespace fanfare {
namespace {

constexpr const char* lease_name = "figures";
constexpr int moves_at_once = 20'000;
constexpr int folds_max = 50;  // A turn.

}  // namespace

ElectedFigures::~ElectedFigures() {
    stop();
    join();
}

void ElectedFigures::start() {
    thread_ = std::thread{[this] {
        while (!waker_.stopped()) {
            turn();
            waker_.wait(interval);
        }
        auto give_back = [this](postgres::Connection& ledger) {
            ledger::give_back_lease(ledger, lease_name, parts_.holder);
        };
        const auto given = parts_.ledger.call("give the lease of the figures back", give_back);
        if (!given) spdlog::debug("{}", describe(given.error()));
        const std::lock_guard guard{mutex_};
        shown_.reset();
    }};
}

void ElectedFigures::join() {
    if (thread_.joinable()) thread_.join();
}

void ElectedFigures::turn() {
    auto look = [this](postgres::Connection& ledger) { return this->look(ledger); };
    auto looked = parts_.ledger.call("read the figures of the ledger", look);
    failed_.settle();
    if (!looked) {
        failed_.warn(describe(looked.error()));
        return;  // What is shown stays until the lease may be somebody else's.
    }
    const std::lock_guard guard{mutex_};
    const bool is_new = looked.value() && (!shown_ || shown_->epoch != looked.value()->epoch);
    if (is_new) spdlog::info("this producer shows what is one number for all programs");
    shown_ = std::move(looked.value());
}

std::optional<ElectedFigures::Shown> ElectedFigures::look(postgres::Connection& ledger) {
    Shown shown;
    shown.until = parts_.clock.steady_now() + lease;  // Before it is asked for: never too long.
    const auto epoch = ledger::take_lease(ledger, lease_name, parts_.holder, lease);
    if (!epoch) return std::nullopt;
    shown.epoch = *epoch;
    for (int i = 0; i < folds_max; ++i) {
        if (ledger::fold_moves(ledger, moves_at_once) < moves_at_once) break;
    }
    shown.families = to_families(ledger::read_figures(ledger, parts_.accounts), parts_.systems);
    return shown;
}

Families ElectedFigures::Collect() const {
    Families families;
    const std::lock_guard guard{mutex_};
    const bool leads = shown_ && parts_.clock.steady_now() < shown_->until;
    if (leads) families = shown_->families;
    auto elected = gauge_family("fanfare_elected",
                                "1 on the producer that shows what is one number for all programs");
    add_series(elected, {}, leads ? 1 : 0);
    families.push_back(std::move(elected));
    return families;
}

}  // namespace fanfare
