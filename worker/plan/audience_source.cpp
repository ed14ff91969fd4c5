#include "worker/plan/audience_source.hpp"

#include "core/orders/order_rules.hpp"
#include "worker/plan/audience.hpp"

#include <stdexcept>
#include <vector>

namespace fanfare {
namespace {

/// Ends reading in a way that costs the connection: the order to end a query may come late.
struct Interrupted : std::runtime_error {
    Interrupted() : std::runtime_error{"the plan is over"} {}
};

std::function<void()> ends_query_of(postgres::Connection& source) {
    return [&source] { source.raw().cancel_query(); };
}

PlanFault::Place place_of_fault(bool began) {
    return began ? PlanFault::Place::query : PlanFault::Place::source;
}

}  // namespace

AudienceSource::Tried DatabaseAudiences::check(const JobContext& job, TimePoint now,
                                               PlanKeeper::Hold& hold) {
    bool began = false;
    const Telling telling{
        job.job, *job.system, *job.kind, job.templates, !job.unsubscribe_prefix.empty(), now};
    const auto ask = [&](postgres::Connection& connection) {
        began = true;
        const PlanKeeper::Reading reading{hold, ends_query_of(connection)};
        auto rejection = check_order(connection, telling);
        if (hold.is_over()) throw Interrupted{};
        return rejection;
    };
    const auto checked = job.source->call("check the contact queries", ask);
    if (!checked) return PlanFault{place_of_fault(began), checked.error()};
    const auto& rejection = checked.value();
    if (!rejection) return std::nullopt;
    return PlanFault{PlanFault::Place::job,
                     fail(Errc::template_invalid, "tell anybody: " + rejection->message)};
}

AudienceSource::Tried DatabaseAudiences::read(const JobContext& job, const std::string& cursor,
                                              std::size_t batch, PlanKeeper::Hold& hold,
                                              const Each& each) {
    bool began = false;
    const auto run = [&](postgres::Connection& source) -> Tried {
        began = true;
        const PlanKeeper::Reading reading{hold, ends_query_of(source)};
        AudienceSnapshot snapshot{source};
        AudienceStream audience{snapshot, job, cursor};
        std::vector<std::string_view> ids;
        while (!hold.is_over()) {
            audience.next(batch, ids);
            if (auto fault = each(ids, audience.left_out())) return fault;
            if (ids.empty()) break;
        }
        if (hold.is_over()) throw Interrupted{};
        return std::nullopt;
    };
    auto& source = is_told_audience(job) ? ledger_ : *job.source;
    auto streamed = source.call("read the audience", run);
    if (streamed) return streamed.value();
    return PlanFault{place_of_fault(began), streamed.error()};
}

Result<void> DatabaseAudiences::read_small(std::span<SmallAudience* const> audiences,
                                           std::size_t people_max, std::chrono::milliseconds within,
                                           PlanKeeper::Hold& hold) {
    const auto run = [&](postgres::Connection& source) {
        const auto end = clock_.steady_now() + within;
        const PlanKeeper::Reading reading{hold, ends_query_of(source)};
        AudienceSnapshot snapshot{source, within};
        std::vector<std::string_view> ids;
        for (auto* const audience : audiences) {
            if (clock_.steady_now() > end) return;
            AudienceStream stream{snapshot, *audience->job, people_max + 1};
            stream.next(people_max + 1, ids);
            audience->is_whole = stream.is_read();
            if (!audience->is_whole) continue;
            audience->ids.assign(ids.begin(), ids.end());
            stream.next(1, ids);  // For those who were left out at the end.
            audience->left_out = stream.left_out();
        }
        if (hold.is_over()) throw Interrupted{};
    };
    return audiences.front()->job->source->call("read small audiences", run);
}

}  // namespace fanfare
