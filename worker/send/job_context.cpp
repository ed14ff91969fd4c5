#include "worker/send/job_context.hpp"

#include "core/ledger/opt_outs.hpp"
#include "core/ledger/own_templates.hpp"
#include "core/rendering/variables.hpp"
#include "worker/send/contact_query.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare {
namespace {

/// "show-{{show_id}}" with the job's data in the places of the names.
std::string fill_in(std::string_view pattern, const std::map<std::string, std::string>& data) {
    std::string text;
    while (!pattern.empty()) {
        const auto open = pattern.find("{{");
        const auto close = pattern.find("}}", open);
        text.append(pattern.substr(0, close == std::string_view::npos ? pattern.size() : open));
        if (close == std::string_view::npos) break;
        const auto found = data.find(std::string{pattern.substr(open + 2, close - open - 2)});
        if (found != data.end()) text.append(found->second);
        pattern.remove_prefix(close + 2);
    }
    return text;
}

}  // namespace

JobContexts::JobContexts(const Systems& systems, const Templates& templates, const Reach& reach,
                         std::string link_base, const Clock& clock)
    : systems_{systems}, templates_{templates}, link_base_{std::move(link_base)} {
    while (link_base_.ends_with('/')) link_base_.pop_back();
    for (const auto& [name, system] : systems) {
        const auto& url = system.database.empty() ? reach.ledger_url : system.database;
        const auto timeout = std::min(system.statement_timeout, reach.lease / 2);
        if (system.writes_back()) {
            writers_[name] = std::make_unique<postgres::Pool>(
                url, postgres::Limits{.statement_timeout = timeout, .read_only = false}, 1);
        }
        pools_[name] = std::make_unique<postgres::Pool>(
            url, postgres::Limits{.statement_timeout = timeout, .read_only = true},
            reach.connections);
        ways_[name] = std::make_unique<KnownContactWays>(clock);
    }
}

JobContexts::~JobContexts() = default;

postgres::Pool& JobContexts::find_pool(const System& system) { return *pools_.at(system.name); }

postgres::Pool& JobContexts::find_writer(const System& system) { return *writers_.at(system.name); }

std::vector<postgres::NamedPool> JobContexts::pools() const {
    std::vector<postgres::NamedPool> all;
    for (const auto& [name, pool] : pools_) all.push_back({"people", name, pool.get()});
    for (const auto& [name, pool] : writers_) all.push_back({"write_backs", name, pool.get()});
    return all;
}

std::string JobContexts::address_key(postgres::Connection& ledger) {
    {
        const std::lock_guard guard{mutex_};
        if (!address_key_.empty()) return address_key_;
    }
    auto key = ledger::address_key(ledger);
    const std::lock_guard guard{mutex_};
    return address_key_ = std::move(key);
}

Result<JobContexts::Own> JobContexts::read_own(postgres::Connection& ledger, const Kind& kind,
                                               std::int64_t id) {
    {
        const std::lock_guard guard{mutex_};
        if (const auto known = own_.find(id); known != own_.end()) return known->second;
    }
    const auto row = ledger::load_templates(ledger, id);
    ensure(row.has_value(), "templates that a job refers to are not deleted");
    Problems problems;
    Own own;
    const auto origin = fmt::format("version {} of the owner's templates, ", row->version);
    own.templates = templates_.with_own(kind.templates, row->parts, origin, problems);
    if (!problems.empty()) {
        return fail(Errc::template_invalid, "use own templates: " + for_log(problems.front()));
    }
    for (const auto& [name, text] : row->parts) own.bytes += text.size();
    const std::lock_guard guard{mutex_};
    if (own_bytes_ + own.bytes > own_bytes_max) {
        own_.clear();
        own_bytes_ = 0;
    }
    if (own_.emplace(id, own).second) own_bytes_ += own.bytes;
    return own;
}

Result<std::shared_ptr<JobContext>> JobContexts::read(std::string_view body) {
    auto decoded = decode_job(body);
    if (const auto* rejection = std::get_if<Rejection>(&decoded)) {
        return fail(Errc::job_malformed, "read a job of the ledger: " + for_log(*rejection));
    }
    auto context = std::make_shared<JobContext>();
    context->bytes = body.size();
    context->job = std::move(std::get<Job>(decoded));
    const auto system = systems_.find(context->job.system);
    context->origin = context->job.id;
    context->system = system == systems_.end() ? nullptr : &system->second;
    context->kind = context->system ? context->system->find_kind(context->job.kind) : nullptr;
    if (context->kind == nullptr) {
        return fail(Errc::job_rejected,
                    fmt::format("find kind {} of system {} in the configuration", context->job.kind,
                                context->job.system));
    }
    context->templates = templates_;
    context->source = &find_pool(*context->system);
    context->ways = ways_.at(context->system->name).get();
    context->collapse_key = fill_in(context->kind->collapse_key, context->job.data);
    if (!link_base_.empty() && !context->kind->list.empty()) {
        context->unsubscribe_prefix = fmt::format("{}/u/{}.", link_base_, context->job.id);
    }
    context->times = find_moments(context->kind->times, context->job.data);
    return context;
}

Result<std::shared_ptr<const JobContext>> JobContexts::load_context(std::string_view body) {
    auto context = read(body);
    if (!context) return context.error();
    return std::shared_ptr<const JobContext>{std::move(context.value())};
}

Result<std::shared_ptr<const JobContext>> JobContexts::load_context(
    postgres::Connection& ledger, std::string_view body, std::optional<std::int64_t> own_templates,
    const std::string& origin, const std::string& trace) {
    auto context = read(body);
    if (!context) return context.error();
    if (!origin.empty()) context.value()->origin = origin;
    context.value()->trace = trace;
    if (!context.value()->unsubscribe_prefix.empty()) {
        context.value()->address_key = address_key(ledger);
    }
    if (own_templates) {
        auto own = read_own(ledger, *context.value()->kind, *own_templates);
        if (!own) return own.error();
        context.value()->templates = std::move(own.value().templates);
        context.value()->bytes += own.value().bytes;
    }
    return std::shared_ptr<const JobContext>{std::move(context.value())};
}

}  // namespace fanfare
