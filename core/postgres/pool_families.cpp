#include "core/postgres/pool_families.hpp"

namespace fanfare::postgres {

void append_pools(Families& families, const std::vector<NamedPool>& pools) {
    auto threads =
        gauge_family("fanfare_postgres_pool_threads", "Threads of a pool of connections");
    auto in_use = gauge_family("fanfare_postgres_pool_in_use", "Work that a pool does just now");
    auto waiting =
        gauge_family("fanfare_postgres_pool_waiting", "Work that waits for a thread of a pool");
    auto failed = counter_family("fanfare_postgres_pool_errors_total",
                                 "Work of a pool that ended in a fault");
    for (const auto& [name, system, pool] : pools) {
        const auto load = pool->load();
        const Labels labels{{"pool", name}, {"system", system}};
        add_series(threads, labels, static_cast<double>(load.threads));
        add_series(in_use, labels, static_cast<double>(load.in_use));
        add_series(waiting, labels, static_cast<double>(load.waiting));
        add_series(failed, labels, static_cast<double>(load.failed));
    }
    for (auto* const family : {&threads, &in_use, &waiting, &failed}) {
        families.push_back(std::move(*family));
    }
}

}  // namespace fanfare::postgres
