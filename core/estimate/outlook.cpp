#include "core/estimate/outlook.hpp"

#include "core/audience/source.hpp"
#include "core/ledger/jobs.hpp"
#include "core/ledger/own_templates.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

namespace fanfare {
namespace {

constexpr std::int64_t people_max = 10'000;
constexpr std::chrono::milliseconds looks_max{1'200};

/// A job whose people are looked at.
struct Looked {
    Job job;
    const System& system;
    const Kind& kind;
    Templates templates;
};

class Looker {
public:
    Looker(const OutlookParts& parts, postgres::Connection& ledger,
           const ledger::ReplayFilter& filter, Outlook& outlook)
        : parts_{parts},
          ledger_{ledger},
          filter_{filter},
          outlook_{outlook},
          end_{parts.clock.steady_now() + looks_max} {}

    /// True while there is time left.
    bool look_at(const ledger::ReplayCount& job) {
        if (parts_.clock.steady_now() >= end_) return false;
        if (outlook_.not_asked.contains(job.system)) return true;
        const auto looked = find(job.job);
        auto* const source = looked ? find_source(looked->system) : nullptr;
        if (source == nullptr) {
            outlook_.not_asked.insert(job.system);
            return true;
        }
        const AudienceEstimator::Parts of_estimate{*source, *source, ledger_, looked->templates,
                                                   parts_.clock.now()};
        AudienceEstimator estimator{of_estimate, looked->system, looked->kind, looked->job};
        for (const auto channel : channels) {
            if (filter_.channel && *filter_.channel != channel) continue;
            // What is known of the channels before counts all the same.
            if (!look_at(estimator, job.job, channel, job.system)) break;
        }
        add(estimator.estimate());
        return true;
    }

private:
    std::optional<Looked> find(const std::string& id) {
        const auto row = ledger::load_job(ledger_, id);
        if (!row) return std::nullopt;
        auto decoded = decode_job(row->body);
        if (std::holds_alternative<Rejection>(decoded)) return std::nullopt;
        auto& job = std::get<Job>(decoded);
        const auto system = parts_.systems.find(job.system);
        if (system == parts_.systems.end()) return std::nullopt;
        const auto* const kind = system->second.find_kind(job.kind);
        if (kind == nullptr) return std::nullopt;
        job.id = row->origin;  // Whose places under caps and whose addresses are theirs.
        auto templates = parts_.templates;
        if (row->own_templates) {
            if (const auto own = ledger::load_templates(ledger_, *row->own_templates)) {
                Problems problems;
                templates = parts_.templates.with_own(kind->templates, own->parts, "", problems);
                if (!problems.empty()) return std::nullopt;
            }
        }
        return Looked{std::move(job), system->second, *kind, std::move(templates)};
    }

    /// Null where there is no connection to be had.
    postgres::Connection* find_source(const System& system) {
        auto& source = sources_[system.name];
        if (source) return source.get();
        const postgres::Limits limits{.statement_timeout = std::min<std::chrono::milliseconds>(
                                          system.statement_timeout, std::chrono::seconds{5}),
                                      .read_only = true};
        try {
            source = std::make_unique<postgres::Connection>(database_for(parts_.settings, system),
                                                            limits);
        } catch (const std::exception&) {
            return nullptr;  // Said in the outlook.
        }
        return source.get();
    }

    /// False where the system's query does not answer.
    bool look_at(AudienceEstimator& estimator, const std::string& job, Channel channel,
                 const std::string& system) {
        auto& on_channel = outlook_.channels[static_cast<std::size_t>(channel)];
        const auto left = people_max - on_channel.looked_at;
        if (left <= 0) return true;
        auto filter = filter_;
        filter.channel = channel;
        for (const auto& people : ledger::chosen_people(ledger_, filter, job, left)) {
            try {
                estimator.look_at(people.recipients, channel);
            } catch (const std::exception&) {
                if (!ledger_.is_open()) throw;
                outlook_.not_asked.insert(system);
                return false;
            }
            on_channel.looked_at += static_cast<std::int64_t>(people.recipients.size());
        }
        return true;
    }

    void add(const AudienceEstimate& estimate) {
        for (const auto channel : channels) {
            const auto index = static_cast<std::size_t>(channel);
            auto& sum = outlook_.channels[index].found;
            const auto& one = estimate.channels[index];
            sum.messages += one.messages;
            sum.segments += one.segments;
            sum.no_address += one.no_address;
            sum.invalid_address += one.invalid_address;
            sum.opted_out += one.opted_out;
            sum.too_often += one.too_often;
            sum.suppressed += one.suppressed;
            sum.duplicates += one.duplicates;
        }
    }

    const OutlookParts& parts_;
    postgres::Connection& ledger_;
    const ledger::ReplayFilter& filter_;
    Outlook& outlook_;
    SteadyTime end_;
    std::map<std::string, std::unique_ptr<postgres::Connection>> sources_;
};

}  // namespace

bool Outlook::is_exact() const noexcept {
    return std::all_of(channels.begin(), channels.end(),
                       [](const OnChannel& one) { return one.looked_at == one.people; });
}

Outlook look_ahead(const OutlookParts& parts, postgres::Connection& ledger,
                   const ledger::ReplayFilter& filter, bool lives_anew,
                   std::span<const ledger::ReplayCount> counts) {
    Outlook outlook;
    Looker looker{parts, ledger, filter, outlook};
    const std::string* last = nullptr;
    bool in_time = true;
    for (const auto& count : counts) {  // In the order of jobs.
        if (count.people == 0 || (count.has_expired && !lives_anew)) continue;
        outlook.channels[static_cast<std::size_t>(count.channel)].people += count.people;
        if (last != nullptr && *last == count.job) continue;
        last = &count.job;
        in_time = in_time && looker.look_at(count);
    }
    for (auto& one : outlook.channels) scale(one.found, one.people, one.looked_at);
    return outlook;
}

}  // namespace fanfare
