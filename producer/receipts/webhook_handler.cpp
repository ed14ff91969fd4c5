#include "producer/receipts/webhook_handler.hpp"

#include <spdlog/spdlog.h>

namespace fanfare {
namespace {

namespace asio = boost::asio;

constexpr std::size_t webhook_bytes_max = 1 << 20;
constexpr std::size_t documents_max = 16;
constexpr std::string_view unavailable{"unavailable"};

HttpReply taken() {
    HttpReply reply;
    reply.headers.emplace_back("Cache-Control", "no-store");
    return reply;
}

HttpReply try_again() {
    auto reply = problem(503, "unavailable", "This could not be stored yet; send it again.");
    reply.headers.emplace_back("Retry-After", "30");
    return reply;
}

std::string_view code_for(int status) {
    if (status == 401) return "signature_missing";
    if (status == 403) return "signature_refused";
    return "no_webhook";
}

std::string_view detail_for(int status) {
    if (status == 401) return "The signature is missing.";
    if (status == 403) return "The signature, its time or its topic is not accepted.";
    return "This is no webhook of this provider.";
}

std::string strip_slash(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    return url;
}

}  // namespace

WebhookHandler::WebhookHandler(Parts parts) : parts_{std::move(parts)} {
    const ReceiverContext context{strip_slash(parts_.settings.callback_url), parts_.references};
    for (const auto& settings : parts_.settings.accounts) {
        auto receiver = make_receiver(settings, context);
        if (!receiver) continue;
        accounts_.emplace(settings.name, Account{settings, std::move(receiver), {}, {}});
    }
    auto& registry = *parts_.registry;
    webhooks_ = &prometheus::BuildCounter()
                     .Name("fanfare_webhooks_total")
                     .Help("Webhooks by account and what became of them")
                     .Register(registry);
    receipts_ = &prometheus::BuildCounter()
                     .Name("fanfare_receipts_received_total")
                     .Help("Receipts that were published, by account and event")
                     .Register(registry);
    foreign_ = &prometheus::BuildCounter()
                    .Name("fanfare_receipts_foreign_total")
                    .Help("Receipts whose reference is none of ours, by account")
                    .Register(registry);
    unread_ = &prometheus::BuildCounter()
                   .Name("fanfare_receipts_unread_total")
                   .Help("Events of a webhook that could not be read beside others that could")
                   .Register(registry);
    for (const auto& [name, account] : accounts_) expect(name);
}

/// What may happen is there from the start: else the first of a kind is no increase.
void WebhookHandler::expect(const std::string& name) {
    for (const char* result :
         {"stored", "nothing", "repeated", "in_hand", "confirmed", "unavailable", "missing_key",
          "unsigned", "forged", "stale", "wrong_topic", "malformed"}) {
        webhooks_->Add({{"account", name}, {"result", result}});
    }
    for (std::size_t i = 0; i < receipt_event_count; ++i) {
        const std::string event{to_string(static_cast<ReceiptEvent>(i))};
        receipts_->Add({{"account", name}, {"event", event}});
    }
    foreign_->Add({{"account", name}});
    unread_->Add({{"account", name}});
}

void WebhookHandler::add_routes(Router& router) {
    RouteOptions options;
    options.body_max = webhook_bytes_max;
    options.gate = [this](const HttpCall& call) { return enter(call); };
    options.gate_knows = false;  // Who it is, the signature tells, and that is of the body.
    router.add("POST", "/webhooks/{account}", {}, options);
    router.add("GET", "/webhooks/{account}", {}, options);
}

asio::awaitable<WebhookHandler::Opened> WebhookHandler::enter(const HttpCall& call) {
    const auto found = accounts_.find(call.param("account"));
    if (found == accounts_.end()) co_return problem(404, "not_found", "There is no such account.");
    auto& account = found->second;
    // Vonage alone may be set up to send its receipts as a query.
    const bool as_query = call.method == "GET" && account.settings.type == "vonage";
    if (call.method != "POST" && !as_query) {
        auto reply = problem(405, "method_not_allowed", "Webhooks are sent by POST.");
        reply.headers.emplace_back("Allow", "POST");
        co_return reply;
    }
    co_return HttpHandler{
        [this, &account](const HttpCall& whole) { return receive(account, whole); }};
}

asio::awaitable<HttpReply> WebhookHandler::receive(Account& account, const HttpCall& call) {
    auto reception = co_await read(account, call);
    if (const auto* const refusal = std::get_if<Refusal>(&reception)) {
        count(account, refusal->why);
        co_return problem(refusal->status, code_for(refusal->status), detail_for(refusal->status));
    }
    if (std::holds_alternative<Wanted>(reception)) {
        count(account, unavailable);
        co_return try_again();
    }
    auto received = std::get<AcceptedWebhook>(std::move(reception));
    co_return co_await keep(account, std::move(received));
}

asio::awaitable<Reception> WebhookHandler::read(Account& account, const HttpCall& call) {
    const auto now = std::chrono::floor<std::chrono::seconds>(parts_.clock.now());
    const auto now_unix = now.time_since_epoch().count();
    std::pair<std::string, std::string> fresh;
    const Documents documents = [&account, &fresh](const std::string& url) {
        const auto found = account.documents.find(url);
        if (found != account.documents.end()) return &std::as_const(found->second);
        return fresh.first == url ? &std::as_const(fresh.second) : nullptr;
    };
    auto reception = account.receiver->receive(call, documents, now_unix);
    const auto* const wanted = std::get_if<Wanted>(&reception);
    if (wanted == nullptr || !account.fetches.take(parts_.clock.steady_now())) co_return reception;
    std::string url = wanted->url;
    auto fetched = co_await parts_.fetch(account.settings, url);
    if (!fetched) co_return reception;
    fresh = {std::move(url), std::move(*fetched)};
    reception = account.receiver->receive(call, documents, now_unix);
    // Kept only once a signature verified with it: nobody else fills the cache.
    if (std::holds_alternative<AcceptedWebhook>(reception)) {
        if (account.documents.size() >= documents_max) account.documents.clear();
        account.documents.insert(std::move(fresh));
    }
    co_return reception;
}

asio::awaitable<HttpReply> WebhookHandler::keep(Account& account, AcceptedWebhook received) {
    TakenToken token{account.seen, std::move(received.token)};
    if (token.state() == SeenTokens::State::seen) {
        count(account, "repeated");
        co_return taken();
    }
    // Whether the first of them is stored is not known yet, so this one is not done either.
    if (token.state() == SeenTokens::State::on_its_way) {
        count(account, "in_hand");
        co_return try_again();
    }
    if (!received.visit.empty()) {
        std::string url = received.visit;
        const auto answer = co_await parts_.fetch(account.settings, std::move(url));
        count(account, answer ? "confirmed" : unavailable);
        if (!answer) co_return try_again();
        spdlog::info("account {}: its topic's subscription is confirmed", account.settings.name);
        co_return taken();
    }
    const auto& name = account.settings.name;
    if (!received.receipts.empty()) {
        auto batches = batch_receipts(name, account.settings.channel, received.receipts);
        const bool stored = co_await parts_.publish(std::move(batches));
        if (!stored) {
            count(account, unavailable);
            co_return try_again();
        }
    }
    token.keep();
    count(account, received.receipts.empty() ? "nothing" : "stored");
    for (const auto& receipt : received.receipts) {
        const std::string event{to_string(receipt.event)};
        receipts_->Add({{"account", name}, {"event", event}}).Increment();
    }
    if (received.foreign > 0) {
        foreign_->Add({{"account", name}}).Increment(static_cast<double>(received.foreign));
    }
    if (received.unread > 0) {
        unread_->Add({{"account", name}}).Increment(static_cast<double>(received.unread));
    }
    co_return taken();
}

void WebhookHandler::count(const Account& account, std::string_view result) {
    webhooks_->Add({{"account", account.settings.name}, {"result", std::string{result}}})
        .Increment();
}

}  // namespace fanfare
