#include "producer/schedule/outbox.hpp"

#include "core/settings/report.hpp"
#include "core/wire/job_json.hpp"
#include "core/wire/job_rejection.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <pqxx/transaction>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <tuple>

namespace fanfare {
namespace {

/// What the broker has said of one turn's rows. Shared: an answer may come when nobody waits.
class Answers {
public:
    void expect() {
        const std::lock_guard guard{mutex_};
        ++open_;
    }
    void came(const ledger::PublishedRow& row, bool done) {
        const std::lock_guard guard{mutex_};
        --open_;
        if (done) taken_.push_back(row);
        changed_.notify_all();
    }
    std::vector<ledger::PublishedRow> wait(std::chrono::seconds most) {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, most, [this] { return open_ == 0; });
        return taken_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t open_ = 0;
    std::vector<ledger::PublishedRow> taken_;
};

using State = ledger::OutboxMark::State;

/// Nothing more is done about the row.
bool is_settled(const ledger::OutboxMark& mark) {
    return mark.state != State::waiting && mark.state != State::lost;
}

std::string refusal_reason(const ledger::OutboxMark& mark) {
    if (mark.state == State::refused) return mark.why;
    return "not_taken: it was published and no worker has taken it; set null to try again";
}

/// Ends in silence what a nested call could not do: the next turn does it.
template <class T>
bool is_done(const Result<T>& result) {
    if (!result) spdlog::warn("{}", describe(result.error()));
    return result.has_value();
}

const JsonValue* find_field(const JsonValue& object, std::string_view name) {
    const auto found = std::find(object.keys.begin(), object.keys.end(), name);
    if (found == object.keys.end()) return nullptr;
    return &object.items[static_cast<std::size_t>(found - object.keys.begin())];
}

void add_text(JsonValue& object, std::string name, std::string text) {
    object.keys.push_back(std::move(name));
    object.items.push_back({JsonValue::Shape::string, std::move(text), {}, {}});
}

}  // namespace

std::variant<Job, Rejection> outbox_job(const std::string& row_id, std::string_view json,
                                        const System& system, const Systems& systems) {
    auto parsed = parse_json(json);
    if (auto* const rejection = std::get_if<Rejection>(&parsed)) return std::move(*rejection);
    auto& value = std::get<JsonValue>(parsed);
    if (value.is_object()) {
        if (find_field(value, "system") == nullptr) add_text(value, "system", system.name);
        if (find_field(value, "id") == nullptr && find_field(value, "idempotency_key") == nullptr) {
            add_text(value, "idempotency_key", fmt::format("outbox/{}/{}", system.name, row_id));
        }
        if (find_field(value, "source") == nullptr) add_text(value, "source", "outbox");
    }
    auto made = read_job(value);
    if (auto* const rejection = std::get_if<Rejection>(&made)) return std::move(*rejection);
    auto& job = std::get<Job>(made);
    if (job.system != system.name) {
        return reject("unknown_system", "/system",
                      fmt::format("is not {}, whose outbox this is; leave it out", system.name));
    }
    if (auto rejection = resolve_job(job, systems)) return std::move(*rejection);
    return std::move(job);
}

Result<Outbox::Turn> Outbox::turn() {
    unusable_.settle();
    Turn turn;
    auto marks = settle_marks(turn);
    if (!marks) return marks.error();
    if (marks.value().size() >= marks_max) return turn;
    auto move = [&](postgres::Connection& source) { publish_rows(source, marks.value(), turn); };
    auto moved = parts_.source.call("publish the outbox of " + system_.name, move);
    if (!moved) return moved.error();
    parts_.probe.notifications(system_.name, "", "outbox", turn.published);
    parts_.probe.notifications(system_.name, "", "rejected", turn.rejected);
    parts_.probe.outbox_waits(system_.name, turn.oldest_s);
    return turn;
}

/// Lets rows go whose jobs a worker has taken; returns those that are published and wait. The row
/// goes first, and its mark after it: who dies in between does it again.
Result<Outbox::Marks> Outbox::settle_marks(Turn& turn) {
    auto look = [this](postgres::Connection& ledger) {
        return ledger::outbox_marks(ledger, system_.name, parts_.times, marks_max);
    };
    auto looked = parts_.ledger.call("look for rows of an outbox that workers have taken", look);
    if (!looked) return looked.error();
    auto& marks = looked.value();
    const auto waiting = std::stable_partition(marks.begin(), marks.end(), is_settled);
    const Marks settled(marks.begin(), waiting);
    marks.erase(marks.begin(), waiting);
    std::erase_if(marks, [](const auto& mark) { return mark.state == State::lost; });
    if (settled.empty()) return looked;
    auto let = [&](postgres::Connection& source) { let_go(source, settled); };
    auto gone = parts_.source.call("settle the outbox of " + system_.name, let);
    if (!gone) return gone.error();
    auto forget = [&](postgres::Connection& ledger) {
        ledger::forget_rows(ledger, system_.name, settled);
    };
    auto forgotten = parts_.ledger.call("forget settled rows of an outbox", forget);
    if (!forgotten) return forgotten.error();
    for (const auto& mark : settled) {
        if (mark.state == State::taken) ++turn.taken;
    }
    return looked;
}

void Outbox::let_go(postgres::Connection& source, const Marks& settled) {
    // The table's name is a checked identifier: it cannot be a parameter.
    postgres::ArrayLiteral taken, rejected, reasons;
    for (const auto& mark : settled) {
        if (mark.state == State::taken) {
            taken.add(mark.id);
            continue;
        }
        spdlog::error("row {} of the outbox of {}: job {}: {}", mark.id, system_.name, mark.job,
                      mark.state == State::refused ? "a worker refused it" : "given up");
        rejected.add(mark.id);
        reasons.add(refusal_reason(mark));
    }
    pqxx::work work{source.raw()};
    work.exec_params(fmt::format("DELETE FROM {} WHERE id::text = ANY($1::text[])", system_.outbox),
                     taken.text());
    work.exec_params(fmt::format("UPDATE {} o SET rejected = r.reason FROM "
                                 "unnest($1::text[], $2::text[]) AS r (id, reason) "
                                 "WHERE o.id::text = r.id",
                                 system_.outbox),
                     rejected.text(), reasons.text());
    work.commit();
}

void Outbox::publish_rows(postgres::Connection& source, const Marks& waiting, Turn& turn) {
    postgres::ArrayLiteral known;
    for (const auto& mark : waiting) known.add(mark.id);
    pqxx::work work{source.raw()};
    const auto rows =
        work.exec_params(fmt::format("SELECT id::text, job::text, extract(epoch FROM "
                                     "clock_timestamp() - created_at)::float8 "
                                     "FROM {} WHERE rejected IS NULL "
                                     "AND id::text <> ALL($1::text[]) "
                                     "ORDER BY created_at, id LIMIT {} FOR UPDATE SKIP LOCKED",
                                     system_.outbox, rows_max),
                         known.text());
    turn.rows = rows.size();
    if (rows.empty()) return;
    const auto published = published_by_others(rows);
    const auto answers = std::make_shared<Answers>();
    for (const auto& row : rows) {
        const std::string id = row[0].c_str();
        if (published.contains(id)) continue;
        const auto made = outbox_job(id, {row[1].c_str(), row[1].size()}, system_, parts_.systems);
        if (const auto* const rejection = std::get_if<Rejection>(&made)) {
            unusable_.warn(fmt::format("row {} of the outbox of {} is no job: {}", one_line(id),
                                       system_.name, for_log(*rejection)));
            work.exec_params(
                fmt::format("UPDATE {} SET rejected = $2 WHERE id::text = $1", system_.outbox), id,
                rejection->code + ": " + rejection->message);
            ++turn.rejected;
            continue;
        }
        const auto& job = std::get<Job>(made);
        const ledger::PublishedRow mine{id, job.id};
        answers->expect();
        const auto bytes = encode_job(job);
        const bool queued =
            parts_.publish({.id = job.id, .bytes = bytes},
                           [answers, mine](bool done) { answers->came(mine, done); });
        if (!queued) answers->came(mine, false);
    }
    const auto acknowledged = answers->wait(acknowledged_max);
    turn.published = acknowledged.size();
    mark(acknowledged);  // Before the rows are anybody's again.
    work.commit();
    if (turn.published + turn.rejected + published.size() < rows.size()) {
        turn.oldest_s = rows[0][2].as<double>();
    }
}

/// Rows that another producer published since the marks were read.
std::set<std::string> Outbox::published_by_others(const pqxx::result& rows) {
    std::vector<std::string> ids;
    for (const auto& row : rows) ids.emplace_back(row[0].c_str());
    auto ask = [&](postgres::Connection& ledger) {
        return ledger::marked_rows(ledger, system_.name, ids, parts_.times);
    };
    const auto marked = parts_.ledger.call("ask which rows of an outbox are published", ask);
    if (!is_done(marked)) return {};
    return {marked.value().begin(), marked.value().end()};
}

void Outbox::mark(const std::vector<ledger::PublishedRow>& rows) {
    auto note = [&](postgres::Connection& ledger) {
        ledger::mark_rows(ledger, system_.name, rows);
    };
    std::ignore = is_done(parts_.ledger.call("note published rows of an outbox", note));
}

}  // namespace fanfare
