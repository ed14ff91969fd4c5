#include "producer/schedule/outbox.hpp"

#include "core/settings/report.hpp"
#include "core/wire/job_json.hpp"
#include "core/wire/job_rejection.hpp"

#include <fmt/format.h>
#include <pqxx/transaction>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace fanfare {
namespace {

/// What the broker has said of one turn's rows. Shared: an answer may come when nobody waits.
class Answers {
public:
    void expect() {
        const std::lock_guard guard{mutex_};
        ++open_;
    }
    void came(const std::string& row, bool done) {
        const std::lock_guard guard{mutex_};
        --open_;
        if (done) taken_.push_back(row);
        changed_.notify_all();
    }
    std::vector<std::string> wait(std::chrono::seconds most) {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, most, [this] { return open_ == 0; });
        return taken_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t open_ = 0;
    std::vector<std::string> taken_;
};

const JsonValue* field_of(const JsonValue& object, std::string_view name) {
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
        if (field_of(value, "system") == nullptr) add_text(value, "system", system.name);
        if (field_of(value, "id") == nullptr && field_of(value, "idempotency_key") == nullptr) {
            add_text(value, "idempotency_key", fmt::format("outbox/{}/{}", system.name, row_id));
        }
        if (field_of(value, "source") == nullptr) add_text(value, "source", "outbox");
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
    auto move = [this](postgres::Connection& source) { return move_rows(source); };
    return parts_.source.call("publish the outbox of " + system_.name, move);
}

Outbox::Turn Outbox::move_rows(postgres::Connection& source) {
    // The table's name is a checked identifier: it cannot be a parameter.
    pqxx::work work{source.raw()};
    const auto rows =
        work.exec(fmt::format("SELECT id::text, job::text FROM {} WHERE rejected IS NULL "
                              "ORDER BY created_at, id LIMIT {} FOR UPDATE SKIP LOCKED",
                              system_.outbox, rows_max));
    Turn turn{.rows = rows.size()};
    const auto answers = std::make_shared<Answers>();
    for (const auto& row : rows) {
        const std::string id = row[0].c_str();
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
        answers->expect();
        const bool queued = parts_.publish(job.id, encode_job(job),
                                           [answers, id](bool done) { answers->came(id, done); });
        if (!queued) answers->came(id, false);
    }
    const auto taken = answers->wait(acknowledged_max);
    turn.published = taken.size();
    work.exec_params(fmt::format("DELETE FROM {} WHERE id::text = ANY($1::text[])", system_.outbox),
                     postgres::array_of(taken));
    work.commit();
    parts_.probe.notifications(system_.name, "", "outbox", turn.published);
    parts_.probe.notifications(system_.name, "", "rejected", turn.rejected);
    return turn;
}

}  // namespace fanfare
