#include "core/settings/text_rules.hpp"
#include "core/wire/job.hpp"
#include "core/wire/job_rejection.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare {
namespace {

std::optional<Rejection> check_parameters(const Job& job, const Audience& audience) {
    const auto& wanted = audience.query.parameters;
    for (const auto& name : wanted) {
        if (job.params.contains(name) || !audience.needs(name)) continue;
        return reject("missing_parameter", point_to("/audience/params", name),
                      fmt::format("is missing; the audience {} needs it", audience.name));
    }
    for (const auto& [name, text] : job.params) {
        if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) continue;
        return reject("surplus_parameter", point_to("/audience/params", name),
                      fmt::format("is unknown to the audience {}; remove it", audience.name));
    }
    return std::nullopt;
}

/// Who was told of an earlier job: named by the subject alone.
std::optional<Rejection> resolve_told(Job& job, const Kind& kind) {
    if (const auto given = job.params.find("subject"); given != job.params.end()) {
        if (job.subject.empty() && plain_text(1, Job::id_bytes_max).accepts(given->second)) {
            job.subject = given->second;
        }
        job.params.erase(given);
    }
    if (job.subject.empty()) {
        return reject(
            "missing_subject", "/subject",
            fmt::format("is missing; the kind {} is for those who were told of it", kind.name));
    }
    // A due query may give the parameters that the earlier kind's audience takes.
    job.params.clear();
    return std::nullopt;
}

std::optional<Rejection> resolve_audience(Job& job, const System& system, const Kind& kind) {
    if (!job.recipients.empty()) return std::nullopt;
    if (job.audience.empty() && !kind.told.empty()) return resolve_told(job, kind);
    if (job.audience.empty()) job.audience = kind.audience;
    if (job.audience.empty()) {
        return reject("missing_audience", "/audience",
                      fmt::format("is missing, and the kind {} has none of its own; name an "
                                  "audience or list recipients",
                                  kind.name));
    }
    const auto* const audience = system.find_audience(job.audience);
    if (audience == nullptr) {
        return reject("unknown_audience", "/audience/name",
                      fmt::format("is no audience of the system {}", system.name));
    }
    return check_parameters(job, *audience);
}

std::optional<Rejection> resolve_channels(Job& job, const System& system, const Kind& kind) {
    if (job.channels.empty()) job.channels = kind.channels;
    for (const auto channel : job.channels) {
        if (system.contacts[static_cast<std::size_t>(channel)]) continue;
        return reject("unreachable_channel", "/channels",
                      fmt::format("{}: the system {} has no contact query for it; leave it out",
                                  to_string(channel), system.name));
    }
    return std::nullopt;
}

}  // namespace

std::optional<Rejection> resolve_job(Job& job, const Systems& systems) {
    const auto system = systems.find(job.system);
    if (system == systems.end()) {
        return reject("unknown_system", "/system",
                      "is no system that is served here; its folder stands below systems_dir");
    }
    const auto* const kind = system->second.find_kind(job.kind);
    if (kind == nullptr) {
        return reject("unknown_kind", "/kind",
                      fmt::format("is no kind of the system {}", job.system));
    }
    if (auto rejection = resolve_audience(job, system->second, *kind)) return rejection;
    if (auto rejection = resolve_channels(job, system->second, *kind)) return rejection;
    if (job.lane_from_kind) job.lane = kind->lane;
    job.lane_from_kind = false;
    return std::nullopt;
}

void settle_expiry(Job& job, TimePoint accepted_at) {
    if (job.ttl) job.expires_at = accepted_at + *job.ttl;
    job.ttl.reset();
}

}  // namespace fanfare
