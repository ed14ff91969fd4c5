#include "producer/unsubscribe/desk.hpp"

#include "producer/unsubscribe/page.hpp"

#include <spdlog/spdlog.h>

namespace fanfare {

namespace asio = boost::asio;

UnsubscribeDesk::UnsubscribeDesk(Parts parts) : parts_{std::move(parts)} {
    requests_ = &prometheus::BuildCounter()
                     .Name("fanfare_unsubscribes_total")
                     .Help("Requests to unsubscribe by what became of them")
                     .Register(*parts_.registry);
}

void UnsubscribeDesk::add_routes(Router& router) {
    RouteOptions options;
    options.per_second = parts_.per_second;
    router.add(
        "GET", "/u/{reference}", [this](const HttpCall& call) { return show(call); }, options);
    options.body_max = 16 * 1024;
    options.content_types = {"application/x-www-form-urlencoded", "multipart/form-data"};
    router.add(
        "POST", "/u/{reference}", [this](const HttpCall& call) { return unsubscribe(call); },
        options);
}

std::optional<Reference> UnsubscribeDesk::reference_of(const HttpCall& call) const {
    return parts_.references.read(call.param("reference"), Channel::email);
}

asio::awaitable<HttpReply> UnsubscribeDesk::show(const HttpCall& call) {
    co_return reference_of(call) ? answer("shown", ask_page()) : answer("unknown", unknown_page());
}

asio::awaitable<HttpReply> UnsubscribeDesk::unsubscribe(const HttpCall& call) {
    auto reference = reference_of(call);
    if (!reference) co_return answer("unknown", unknown_page());
    if (!asks_one_click(call)) co_return answer("unclear", unclear_page());
    const auto stored = co_await parts_.store(std::move(*reference));
    if (!stored) {
        spdlog::warn("{}", describe(stored.error()));
        co_return answer("unavailable", unavailable_page());
    }
    if (!stored.value()) co_return answer("unknown", unknown_page());
    co_return answer("stored", done_page());
}

HttpReply UnsubscribeDesk::answer(const char* result, HttpReply page) {
    requests_->Add({{"result", result}}).Increment();
    return page;
}

}  // namespace fanfare
