#include "producer/unsubscribe/unsubscribe_handler.hpp"

#include "core/providers/unsubscribe.hpp"
#include "producer/unsubscribe/page.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace fanfare {
namespace {

namespace asio = boost::asio;

constexpr double link_per_second = 2;
constexpr double link_at_once = 10;

}  // namespace

UnsubscribeHandler::UnsubscribeHandler(Parts parts)
    : parts_{std::move(parts)},
      shown_{Rate{static_cast<double>(parts_.per_second)}, {link_per_second, link_at_once}},
      stored_{shown_} {
    requests_ = &prometheus::BuildCounter()
                     .Name("fanfare_unsubscribes_total")
                     .Help("Requests to unsubscribe by what became of them")
                     .Register(*parts_.registry);
    for (const char* result : {"shown", "stored", "unknown", "too_many", "unavailable"}) {
        requests_->Add({{"result", result}});
    }
}

void UnsubscribeHandler::add_routes(Router& router) {
    RouteOptions options;
    options.body_counts = false;
    // Mail clients and people put a slash behind a link.
    for (const auto* const pattern : {"/u/{reference}", "/u/{reference}/"}) {
        options.gate = [this](const HttpCall& call) { return enter(call, shown_); };
        router.add("GET", pattern, {}, options);
        options.gate = [this](const HttpCall& call) { return enter(call, stored_); };
        router.add("POST", pattern, {}, options);
    }
}

asio::awaitable<UnsubscribeHandler::Opened> UnsubscribeHandler::enter(const HttpCall& call,
                                                                      Limits& limits) {
    auto reference = parts_.references.read(call.param("reference"), Channel::email);
    if (!reference) co_return answer("unknown", unknown_page());
    const auto now = parts_.clock.steady_now();
    const auto link =
        fmt::format("{}.{}.{}", reference->job, reference->chunk, reference->position);
    if (!limits.a_link.take(link, now) || !limits.all.take(now)) {
        co_return answer("too_many", too_many_page());
    }
    auto mark = read_mark(call, *reference);
    co_return HttpHandler{[this, reference = std::move(*reference),
                           mark = std::move(mark)](const HttpCall& admitted) {
        return serve(admitted, reference, mark);
    }};
}

asio::awaitable<HttpReply> UnsubscribeHandler::serve(const HttpCall& call, Reference reference,
                                                     std::string mark) {
    if (call.method != "POST") co_return answer("shown", ask_page());
    const auto stored = co_await parts_.store(std::move(reference), std::move(mark));
    if (!stored) {
        spdlog::warn("{}", describe(stored.error()));
        co_return answer("unavailable", unavailable_page());
    }
    if (!stored.value()) co_return answer("unknown", unknown_page());
    co_return answer("stored", done_page());
}

/// "" where the query is none of ours: the reference counts by itself as long as it is known.
std::string UnsubscribeHandler::read_mark(const HttpCall& call, const Reference& reference) const {
    constexpr auto name = seal_lead.substr(1);
    const std::string_view query{call.query};
    if (!query.starts_with(name)) return {};
    return parts_.references.read_seal(reference, query.substr(name.size())).value_or("");
}

HttpReply UnsubscribeHandler::answer(const char* result, HttpReply page) {
    requests_->Add({{"result", result}}).Increment();
    return page;
}

}  // namespace fanfare
