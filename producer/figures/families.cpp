#include "producer/figures/families.hpp"

#include <array>
#include <map>
#include <tuple>

namespace fanfare {
namespace {

using ledger::Figures;
using prometheus::MetricFamily;

constexpr std::array<const char*, 4> waitings{"due", "later", "held", "paused"};

std::string word(auto value) { return std::string{to_string(value)}; }

/// How many people came to each outcome and left it again.
struct Counts {
    std::array<std::int64_t, outcome_count> came{}, left{};

    void add(const ledger::Moves& moves) {
        if (moves.to) came[static_cast<std::size_t>(*moves.to)] += moves.people;
        if (moves.from) left[static_cast<std::size_t>(*moves.from)] += moves.people;
    }
};

void append_outcomes(Families& families, const Figures& figures, const Systems& systems) {
    std::map<std::tuple<std::string, std::string, Channel>, Counts> by_kind;
    std::map<Channel, Counts> by_channel;
    for (const auto& [name, system] : systems) {
        for (const auto& [kind, ignored] : system.kinds) {
            for (const auto channel : channels) {
                if (system.contacts[static_cast<std::size_t>(channel)]) {
                    by_kind.try_emplace({name, kind, channel});
                }
            }
        }
    }
    for (const auto channel : channels) by_channel.try_emplace(channel);
    for (const auto& moves : figures.moves) {
        by_kind[{moves.system, moves.kind, moves.channel}].add(moves);
        by_channel[moves.channel].add(moves);
    }
    auto came = counter_family("fanfare_outcomes_total",
                               "People who came to an outcome, whoever recorded it");
    auto left = counter_family("fanfare_outcomes_left_total",
                               "People who left an outcome again: for another, or deleted");
    auto held = gauge_family("fanfare_recipients",
                             "People whose outcome this is now: those who came less who left");
    for (const auto& [key, counts] : by_kind) {
        for (std::size_t i = 0; i < outcome_count; ++i) {
            const Labels labels{{"system", std::get<0>(key)},
                                {"kind", std::get<1>(key)},
                                {"channel", word(std::get<2>(key))},
                                {"outcome", word(static_cast<Outcome>(i))}};
            add_series(came, labels, static_cast<double>(counts.came[i]));
            add_series(left, labels, static_cast<double>(counts.left[i]));
        }
    }
    for (const auto& [channel, counts] : by_channel) {
        for (std::size_t i = 0; i < outcome_count; ++i) {
            add_series(held,
                       {{"channel", word(channel)}, {"outcome", word(static_cast<Outcome>(i))}},
                       static_cast<double>(counts.came[i] - counts.left[i]));
        }
    }
    families.push_back(std::move(came));
    families.push_back(std::move(left));
    families.push_back(std::move(held));
}

void append_backlog(Families& families, const Figures& figures) {
    std::map<std::tuple<Channel, Lane, std::size_t>, ledger::Backlog> found;
    for (const auto& backlog : figures.backlog) {
        found[{backlog.channel, backlog.lane, static_cast<std::size_t>(backlog.waiting)}] = backlog;
    }
    auto people = gauge_family("fanfare_backlog_recipients",
                               "People without a final outcome: due, later (their next attempt), "
                               "held by a worker, paused");
    auto oldest = gauge_family("fanfare_backlog_oldest_seconds",
                               "How long the oldest chunk has been due that nobody has claimed");
    for (const auto channel : channels) {
        for (const auto lane : lanes) {
            const Labels labels{{"channel", word(channel)}, {"lane", word(lane)}};
            add_series(oldest, labels, found[{channel, lane, 0}].oldest_s);
            for (std::size_t i = 0; i < waitings.size(); ++i) {
                auto more = labels;
                more.push_back({"waiting", waitings[i]});
                add_series(people, std::move(more),
                           static_cast<double>(found[{channel, lane, i}].people));
            }
        }
    }
    families.push_back(std::move(people));
    families.push_back(std::move(oldest));
}

void append_jobs(Families& families, const Figures& figures) {
    std::map<std::pair<Lane, bool>, std::int64_t> found;
    for (const auto& jobs : figures.jobs) found[{jobs.lane, jobs.is_planned}] = jobs.jobs;
    auto open = gauge_family("fanfare_open_jobs", "Jobs that are being planned or sent");
    for (const auto lane : lanes) {
        for (const bool is_planned : {false, true}) {
            add_series(open, {{"lane", word(lane)}, {"state", is_planned ? "sending" : "planning"}},
                       static_cast<double>(found[{lane, is_planned}]));
        }
    }
    families.push_back(std::move(open));
}

void append_outboxes(Families& families, const Figures& figures, const Systems& systems) {
    std::map<std::string, ledger::OutboxBacklog> found;
    for (const auto& [name, system] : systems) {
        if (!system.outbox.empty()) found[name].system = name;
    }
    for (const auto& outbox : figures.outboxes) found[outbox.system] = outbox;
    if (found.empty()) return;
    auto rows = gauge_family("fanfare_outbox_untaken_rows",
                             "Rows of an outbox that are published and that no worker has taken");
    auto oldest = gauge_family("fanfare_outbox_oldest_seconds",
                               "How long ago the oldest of them was first published");
    for (const auto& [system, outbox] : found) {
        add_series(rows, {{"system", system}}, static_cast<double>(outbox.rows));
        add_series(oldest, {{"system", system}}, outbox.oldest_s);
    }
    families.push_back(std::move(rows));
    families.push_back(std::move(oldest));
}

void append_one(Families& families, MetricFamily family, double value) {
    add_series(family, {}, value);
    families.push_back(std::move(family));
}

}  // namespace

Families to_families(const Figures& figures, const Systems& systems) {
    Families families;
    append_outcomes(families, figures, systems);
    append_backlog(families, figures);
    append_jobs(families, figures);
    append_outboxes(families, figures, systems);
    append_one(families,
               gauge_family("fanfare_notifications_overdue",
                            "Notifications that are due and not published"),
               static_cast<double>(figures.overdue));
    append_one(families,
               gauge_family("fanfare_notifications_overdue_seconds",
                            "How long the oldest of them has been due and known"),
               figures.overdue_s);
    append_one(families, gauge_family("fanfare_pauses", "Pauses that are in force"),
               static_cast<double>(figures.pauses));
    append_one(families,
               gauge_family("fanfare_ledger_oldest_day_timestamp_seconds",
                            "The oldest day of which the ledger keeps what became of people"),
               figures.oldest_day);
    append_one(families, counter_family("fanfare_replays_total", "Replays that were ordered"),
               static_cast<double>(figures.replays));
    append_one(families,
               gauge_family("fanfare_replays_open", "Replays that are not yet carried out"),
               static_cast<double>(figures.replays_open));
    return families;
}

}  // namespace fanfare
