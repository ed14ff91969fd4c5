#include "worker/probes/exposition.hpp"

namespace fanfare {

std::shared_ptr<Exposition> worker_exposition(std::shared_ptr<prometheus::Collectable> counted,
                                              WorkerState state) {
    auto exposition = std::make_shared<Exposition>();
    exposition->add(std::move(counted));
    exposition->add([state = std::move(state)](Families& all) {
        auto lag = gauge_family("fanfare_kafka_lag_records",
                                "Records at the broker that this worker has not finished");
        auto lags = state.lags();
        for (const auto& topic : state.topics) {
            add_series(lag, {{"topic", topic}}, static_cast<double>(lags[topic]));
        }
        all.push_back(std::move(lag));
        postgres::append_pools(all, state.pools());
    });
    return exposition;
}

}  // namespace fanfare
