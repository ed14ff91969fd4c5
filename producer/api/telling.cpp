#include "producer/api/telling.hpp"

#include "producer/api/own_templates.hpp"
#include "producer/api/reply.hpp"

namespace fanfare::api {

boost::asio::awaitable<std::optional<HttpReply>> untellable(const ApiContext& parts,
                                                            const Job& job) {
    const auto& system = parts.systems.find(job.system)->second;
    const auto& kind = *system.find_kind(job.kind);
    const bool has_links = !parts.settings.callback_url.empty() && !parts.settings.link_key.empty();
    auto& source = *parts.sources.at(job.system);
    const auto now = parts.clock.now();
    const Telling shipped{job, system, kind, parts.templates, has_links, now};
    auto rejection = co_await parts.orders.ask(source, shipped);
    if (!rejection) co_return std::nullopt;
    // The owner's own texts may need less.
    ledger::TemplatesKey key{job.system, job.kind, job.source};
    const auto templates = co_await templates_now(parts, std::move(key), kind);
    if (!templates) co_return unavailable(templates.error());
    const Telling owned{job, system, kind, templates.value(), has_links, now};
    rejection = co_await parts.orders.ask(source, owned);
    if (!rejection) co_return std::nullopt;
    co_return refusal(*rejection);
}

}  // namespace fanfare::api
