#include "worker/send/desk.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::size_t chunks_per_statement_max = 64;
constexpr std::chrono::milliseconds retry_first{50};
constexpr std::chrono::milliseconds retry_max{2'000};

template <class Ticket>
std::vector<std::shared_ptr<Ticket>> take(std::deque<std::shared_ptr<Ticket>>& queue) {
    const auto count = std::min(queue.size(), chunks_per_statement_max);
    std::vector<std::shared_ptr<Ticket>> taken(queue.begin(),
                                               queue.begin() + static_cast<std::ptrdiff_t>(count));
    queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(count));
    return taken;
}

}  // namespace

Desk::Desk(const asio::any_io_executor& executor, postgres::Pool& ledger, Options options)
    : executor_{executor}, ledger_{ledger}, options_{std::move(options)}, tasks_{executor} {}

asio::awaitable<Result<std::optional<ledger::ClaimedChunk>>> Desk::claim(
    ledger::ClaimRequest request) {
    auto ticket = std::make_shared<ClaimTicket>(executor_);
    ticket->request = std::move(request);
    claims_.push_back(ticket);
    if (!claiming_) {
        claiming_ = true;
        tasks_.spawn(serve_claims());
    }
    while (!ticket->answer) co_await ticket->ready.wait();
    co_return std::move(*ticket->answer);
}

asio::awaitable<Result<bool>> Desk::record(ledger::ChunkRecord record) {
    auto ticket = std::make_shared<RecordTicket>(executor_);
    ticket->request = std::move(record);
    records_.push_back(ticket);
    if (!recording_) {
        recording_ = true;
        tasks_.spawn(serve_records());
    }
    while (!ticket->answer) co_await ticket->ready.wait();
    co_return std::move(*ticket->answer);
}

asio::awaitable<void> Desk::serve_claims() {
    while (!claims_.empty()) {
        const auto tickets = take(claims_);
        std::vector<ledger::ClaimRequest> requests;
        for (const auto& ticket : tickets) requests.push_back(ticket->request);
        const auto same_chunk = [](const auto& a, const auto& b) { return a.key == b.key; };
        std::sort(requests.begin(), requests.end());
        requests.erase(std::unique(requests.begin(), requests.end(), same_chunk), requests.end());
        const auto token = options_.token();
        auto wait = retry_first;
        auto claimed = co_await ledger_.run("claim chunks", [&](postgres::Connection& connection) {
            return ledger::claim_chunks(connection, requests, options_.lease, token);
        });
        while (!claimed && is_retryable(claimed.error().code) && !stopping_) {
            // The same token: chunks that the lost statement claimed are still ours.
            spdlog::warn("{}", describe(claimed.error()));
            co_await pause_for(wait);
            wait = std::min(wait * 2, retry_max);
            claimed = co_await ledger_.run("claim chunks", [&](postgres::Connection& connection) {
                return ledger::claim_chunks(connection, requests, options_.lease, token);
            });
        }
        for (const auto& ticket : tickets) {
            if (!claimed) {
                ticket->answer = claimed.error();
            } else {
                std::optional<ledger::ClaimedChunk> mine;
                for (auto& chunk : claimed.value()) {
                    if (chunk.key != ticket->request.key) continue;
                    mine = std::move(chunk);
                    chunk.key.job.clear();  // Given out: a second descriptor gets nothing.
                    break;
                }
                ticket->answer = std::move(mine);
            }
            ticket->ready.notify();
        }
    }
    claiming_ = false;
}

asio::awaitable<void> Desk::serve_records() {
    while (!records_.empty()) {
        const auto tickets = take(records_);
        std::vector<ledger::ChunkRecord> records;
        for (const auto& ticket : tickets) records.push_back(ticket->request);
        std::sort(records.begin(), records.end(),
                  [](const auto& a, const auto& b) { return a.key < b.key; });
        bool repeated = false;
        auto wait = retry_first;
        auto written = co_await ledger_.run("record chunks", [&](postgres::Connection& connection) {
            return ledger::record_chunks(connection, records);
        });
        while (!written && is_retryable(written.error().code) && !stopping_) {
            spdlog::warn("{}", describe(written.error()));
            co_await pause_for(wait);
            wait = std::min(wait * 2, retry_max);
            repeated = true;
            written = co_await ledger_.run("record chunks", [&](postgres::Connection& connection) {
                return ledger::record_chunks(connection, records);
            });
        }
        for (const auto& ticket : tickets) {
            if (!written) {
                ticket->answer = written.error();
            } else {
                const auto& keys = written.value();
                // After a lost answer the first statement may have written it already.
                ticket->answer = repeated || std::find(keys.begin(), keys.end(),
                                                       ticket->request.key) != keys.end();
            }
            ticket->ready.notify();
            if (written && ticket->request.done && on_settled) on_settled(ticket->request.key.job);
        }
    }
    recording_ = false;
}

}  // namespace fanfare
