#include "core/orders/known_columns.hpp"

#include "core/orders/order_rules.hpp"

namespace fanfare {

std::vector<std::string> KnownColumns::find(postgres::Connection& source, const System& system,
                                            Channel channel) {
    const std::pair key{system.name, channel};
    const auto asked = clock_.steady_now();
    {
        const std::lock_guard guard{mutex_};
        const auto found = known_.find(key);
        if (found != known_.end() && asked < found->second.until) return found->second.columns;
    }
    auto columns = columns_now(source, system, channel);
    const std::lock_guard guard{mutex_};
    known_.insert_or_assign(key, Known{asked + good_for, columns});
    return columns;
}

}  // namespace fanfare
