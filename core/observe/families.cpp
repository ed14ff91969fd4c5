#include "core/observe/families.hpp"

#include <iterator>

namespace fanfare {

prometheus::MetricFamily gauge_family(std::string name, std::string help) {
    return {std::move(name), std::move(help), prometheus::MetricType::Gauge, {}};
}

prometheus::MetricFamily counter_family(std::string name, std::string help) {
    return {std::move(name), std::move(help), prometheus::MetricType::Counter, {}};
}

void add_series(prometheus::MetricFamily& family, Labels labels, double value) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    if (family.type == prometheus::MetricType::Counter) {
        metric.counter.value = value;
    } else {
        metric.gauge.value = value;
    }
    family.metric.push_back(std::move(metric));
}

void Exposition::add(std::shared_ptr<prometheus::Collectable> families) {
    add([families = std::move(families)](Families& all) {
        auto more = families->Collect();
        all.insert(all.end(), std::make_move_iterator(more.begin()),
                   std::make_move_iterator(more.end()));
    });
}

void Exposition::add(std::function<void(Families&)> append) { parts_.push_back(std::move(append)); }

Families Exposition::Collect() const {
    Families all;
    for (const auto& append : parts_) append(all);
    return all;
}

}  // namespace fanfare
