#include "producer/api/owners.hpp"

#include "producer/api/reply.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>

#include <algorithm>
#include <set>

namespace fanfare::api {
namespace {

HttpReply denied(std::string_view why) {
    return refusal(403, "owner_denied",
                   fmt::format("This client acts for one owner only: {}", why));
}

/// True where due queries or other kinds go by the subjects of this one: what an owner says of a
/// subject would be said of everybody's of that name.
bool goes_by_subjects(const System& system, const Kind& kind) {
    if (!kind.told.empty() || !kind.cancels.empty()) return true;
    const bool is_found = std::any_of(system.schedules.begin(), system.schedules.end(),
                                      [&](const auto& each) { return each.kind == kind.name; });
    return is_found || std::any_of(system.kinds.begin(), system.kinds.end(),
                                   [&](const auto& each) { return each.second.told == kind.name; });
}

std::optional<HttpReply> keep_list_to_owner(const System& system) {
    for (const auto& [name, audience] : system.audiences) {
        if (audience.is_everybody_of_an_owner()) return std::nullopt;
    }
    return denied("no audience of the system says who their people are; list nobody by id.");
}

std::optional<HttpReply> keep_kind_to_owner(Params& params, const std::string& named,
                                            const System& system, const Kind& kind,
                                            const Caller& caller) {
    if (named.empty() && kind.audience.empty() && !kind.told.empty()) {
        return denied("whoever was told earlier is not theirs; name an audience.");
    }
    const auto* const audience = system.find_audience(named.empty() ? kind.audience : named);
    if (audience == nullptr) return std::nullopt;  // resolve_job() says so.
    return keep_to_owner(params, *audience, caller);
}

const Kind* find_kind(const Systems& systems, const std::string& system, const std::string& kind) {
    const auto found = systems.find(system);
    return found == systems.end() ? nullptr : found->second.find_kind(kind);
}

}  // namespace

std::optional<HttpReply> keep_to_owner(Params& params, const Audience& audience,
                                       const Caller& caller) {
    if (!caller.owner_bound) return std::nullopt;
    if (audience.owner.empty()) return denied("the audience has no owner; take one that has.");
    const auto [given, is_new] = params.emplace(audience.owner, caller.owner);
    if (given->second == caller.owner) return std::nullopt;
    return denied(fmt::format("leave {} out, or send that owner.", audience.owner));
}

std::optional<HttpReply> keep_to_owner(Job& job, const Caller& caller, const Systems& systems) {
    const auto* const kind = find_kind(systems, job.system, job.kind);
    if (!caller.owner_bound || kind == nullptr) return std::nullopt;
    const auto& system = systems.find(job.system)->second;
    if (!job.subject.empty() && goes_by_subjects(system, *kind)) {
        return denied("subjects of this kind are the system's; leave the subject out.");
    }
    if (!job.recipients.empty()) return keep_list_to_owner(system);
    return keep_kind_to_owner(job.params, job.audience, system, *kind, caller);
}

std::optional<HttpReply> keep_to_owner(Params& params, const std::string& system,
                                       const std::string& kind, Notified notified,
                                       const Caller& caller, const Systems& systems) {
    const auto* const found = find_kind(systems, system, kind);
    if (!caller.owner_bound || found == nullptr) return std::nullopt;
    const auto& whole = systems.find(system)->second;
    if (notified == Notified::anew && goes_by_subjects(whole, *found)) {
        return denied("the system itself says what is due of this kind.");
    }
    return keep_kind_to_owner(params, "", whole, *found, caller);
}

std::vector<std::string> people_of_owner(postgres::Connection& source, const System& system,
                                         const std::string& owner,
                                         const std::vector<std::string>& recipients) {
    const auto listed = postgres::to_array_literal(recipients);
    std::set<std::string> theirs;
    pqxx::nontransaction work{source.raw()};
    for (const auto& [name, audience] : system.audiences) {
        if (!audience.is_everybody_of_an_owner()) continue;
        const Params params{{audience.owner, owner}};
        auto values = audience.values(params);
        values.push_back(listed.c_str());
        const auto rows =
            work.exec_params(fmt::format("SELECT DISTINCT a.recipient_id::text FROM ({}\n) a "
                                         "WHERE a.recipient_id::text = ANY(${}::text[])",
                                         audience.query.sql, values.size()),
                             pqxx::prepare::make_dynamic_params(values.begin(), values.end()));
        for (const auto& row : rows) theirs.emplace(row[0].c_str(), row[0].size());
    }
    return {theirs.begin(), theirs.end()};  // In the order that a job keeps its recipients in.
}

std::optional<HttpReply> denied_to_owners(const Caller& caller) {
    if (!caller.owner_bound) return std::nullopt;
    return denied("call as a client that does not.");
}

HttpReply no_such_owner() { return denied("the system has no such owner, or no such values."); }

HttpReply nobody_of_owner() {
    return refusal(422, "unknown_recipients",
                   "None of these recipients is in an audience of this client's owner.");
}

}  // namespace fanfare::api
