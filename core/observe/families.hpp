#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {

using Families = std::vector<prometheus::MetricFamily>;
using Labels = std::vector<prometheus::ClientMetric::Label>;

/// A family of numbers that are read when they are asked for. Its series are added by the caller.
[[nodiscard]] prometheus::MetricFamily gauge_family(std::string name, std::string help);
[[nodiscard]] prometheus::MetricFamily counter_family(std::string name, std::string help);
void add_series(prometheus::MetricFamily& family, Labels labels, double value);

/// One family after the other, as a scrape shows them.
///
/// Threads   add() before it is shown to anybody; Collect() from any.
/// Lifetime  what the functions read outlives it.
class Exposition final : public prometheus::Collectable {
public:
    void add(std::shared_ptr<prometheus::Collectable> families);
    void add(std::function<void(Families&)> append);
    [[nodiscard]] Families Collect() const override;

private:
    std::vector<std::function<void(Families&)>> parts_;
};

/// What this program is and takes of its machine: fanfare_build_info and process_*. `version` is
/// what core/program/version.hpp says.
void append_process(Families& families, const std::string& program, const std::string& version);

}  // namespace fanfare
