#include "worker/probes/exposition.hpp"

#include "core/postgres/pool_families.hpp"

namespace fanfare {

std::shared_ptr<Exposition> worker_exposition(std::shared_ptr<prometheus::Collectable> counted,
                                              std::function<kafka::Lags()> lags,
                                              std::vector<std::string> topics,
                                              std::vector<postgres::NamedPool> pools,
                                              const Tracer* tracer) {
    auto exposition = std::make_shared<Exposition>();
    exposition->add(std::move(counted));
    exposition->add([lags = std::move(lags), topics = std::move(topics)](Families& all) {
        auto family = gauge_family("fanfare_kafka_lag_records",
                                   "Records at the broker that this worker has not finished");
        auto known = lags();
        for (const auto& topic : topics) {
            add_series(family, {{"topic", topic}}, static_cast<double>(known[topic]));
        }
        all.push_back(std::move(family));
    });
    exposition->add(
        [pools = std::move(pools)](Families& all) { postgres::append_pools(all, pools); });
    exposition->add([tracer](Families& all) { append_spans(all, tracer); });
    return exposition;
}

}  // namespace fanfare
