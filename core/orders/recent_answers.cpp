#include "core/orders/recent_answers.hpp"

#include "core/orders/order_rules.hpp"

namespace fanfare {

template <class Key, class Ask>
auto RecentAnswers::find(std::map<Key, Known<std::invoke_result_t<Ask>>>& known, const Key& key,
                         const Ask& ask) {
    const auto asked = clock_.steady_now();
    {
        const std::lock_guard guard{mutex_};
        const auto found = known.find(key);
        if (found != known.end() && asked < found->second.until) return found->second.answer;
    }
    auto answer = ask();
    const std::lock_guard guard{mutex_};
    known.insert_or_assign(key, Known<std::invoke_result_t<Ask>>{asked + good_for, answer});
    return answer;
}

std::vector<std::string> RecentAnswers::columns(postgres::Connection& source, const System& system,
                                                Channel channel) {
    const auto ask = [&] { return columns_now(source, system, channel); };
    return find(columns_, std::pair{system.name, channel}, ask);
}

bool RecentAnswers::takes_any_text(postgres::Connection& source, const Query& query,
                                   std::size_t parameter) {
    const auto ask = [&] { return takes_odd_text(source, query, parameter); };
    return find(texts_, std::pair{query.sql, parameter}, ask);
}

}  // namespace fanfare
