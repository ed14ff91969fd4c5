#include "core/ledger/due_job.hpp"

#include "core/settings/text_rules.hpp"

#include <fmt/format.h>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace fanfare {
namespace {

constexpr std::size_t key_bytes_max = 200;

}  // namespace

std::string compose_idempotency_key(const ledger::NotificationKey& key) {
    auto name = derivation_name(key);
    if (name.size() <= key_bytes_max && !has_control_character(name)) return name;
    return derived_id(name);
}

std::string compose_subject(const ledger::NotificationKey& key) {
    const auto subject = ledger::plain_subject(key.subject);
    const bool fits = subject.size() <= Job::id_bytes_max && !has_control_character(subject);
    return fits ? std::string{subject} : derived_id(key.subject);
}

std::variant<Job, Rejection> due_job(const ledger::ClaimedNotification& notification,
                                     const Systems& systems) {
    boost::json::object message{{"version", Job::version},
                                {"id", notification.job},
                                {"idempotency_key", compose_idempotency_key(notification.key)},
                                {"system", notification.key.system},
                                {"kind", notification.key.kind},
                                {"subject", compose_subject(notification.key)},
                                {"source", notification.source}};
    if (!notification.expires_at.empty()) message["expires_at"] = notification.expires_at;
    // Params and data are JSON already; read as any backend's job is, they need no second rule.
    auto text = boost::json::serialize(message);
    text.pop_back();
    text += fmt::format(R"(,"audience":{{"params":{}}},"data":{}}})", notification.params,
                        notification.data);
    auto decoded = decode_job(text);
    if (auto* const rejection = std::get_if<Rejection>(&decoded)) return std::move(*rejection);
    auto& job = std::get<Job>(decoded);
    if (auto rejection = resolve_job(job, systems)) return std::move(*rejection);
    return std::move(job);
}

std::variant<Job, Rejection> due_job(const ledger::NotificationDetail& notification,
                                     const Systems& systems) {
    ledger::ClaimedNotification claimed;
    claimed.key = notification.key;
    claimed.job = notification.id;
    claimed.expires_at = notification.expires_at;
    claimed.params = notification.params;
    claimed.data = notification.data;
    claimed.source = notification.source;
    return due_job(claimed, systems);
}

}  // namespace fanfare
