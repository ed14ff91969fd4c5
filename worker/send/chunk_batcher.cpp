#include "worker/send/chunk_batcher.hpp"

#include "core/clock/timer.hpp"

#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::size_t chunks_per_statement_max = 64;
constexpr std::size_t gathered_max = 16;  // As many as these are worth a statement at once.
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

bool contains(const std::vector<ledger::ChunkKey>& keys, const ledger::ChunkKey& key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

template <class Word>
constexpr bool is_record = std::is_same_v<Word, ledger::ChunkRecord>;

}  // namespace

ChunkBatcher::ChunkBatcher(const asio::any_io_executor& executor, ChunkStore& store,
                           Options options)
    : executor_{executor},
      store_{store},
      options_{std::move(options)},
      tasks_{executor},
      marks_{"mark chunks", &ChunkStore::mark, {}},
      records_{"record chunks", &ChunkStore::record, {}},
      caught_up_{executor} {}

void ChunkBatcher::stop() {
    stopping_ = true;
    caught_up_.notify();
}

asio::awaitable<Result<std::optional<ledger::ClaimedChunk>>> ChunkBatcher::claim(
    ledger::ClaimRequest request, bool urgent) {
    auto ticket = std::make_shared<ClaimTicket>(executor_);
    ticket->request = std::move(request);
    ticket->urgent = urgent;
    claims_.push_back(ticket);
    if (!claiming_) {
        claiming_ = true;
        tasks_.spawn(serve_claims());
    }
    while (!ticket->answer) co_await ticket->ready.wait();
    co_return std::move(*ticket->answer);
}

asio::awaitable<Marked> ChunkBatcher::mark(ledger::ChunkMark mark) {
    const auto marked = co_await hand_in(marks_, std::move(mark));
    if (marked) co_return marked.value();
    spdlog::warn("{}; nothing is begun", describe(marked.error()));
    co_return Marked::away;
}

asio::awaitable<Result<bool>> ChunkBatcher::record(ledger::ChunkRecord record) {
    const auto written = co_await hand_in(records_, std::move(record));
    if (!written) co_return written.error();
    co_return written.value() != Marked::lost;
}

template <class Word>
asio::awaitable<Result<Marked>> ChunkBatcher::hand_in(WordQueue<Word>& waiting, Word word) {
    auto ticket = std::make_shared<WordTicket<Word>>(executor_);
    ticket->request = std::move(word);
    waiting.queue.push_back(ticket);
    if (!waiting.serving) {
        waiting.serving = true;
        tasks_.spawn(serve(waiting));
    }
    while (!ticket->answer) co_await ticket->ready.wait();
    co_return std::move(*ticket->answer);
}

/// Waits for those who are likely to come, unless somebody is in a hurry.
asio::awaitable<void> ChunkBatcher::gather_claims() {
    const auto count = claims_.size();
    if (stopping_ || std::max(count, latest_claims_) < 2 || count >= gathered_max) co_return;
    const bool hurries = std::any_of(claims_.begin(), claims_.end(),
                                     [](const auto& ticket) { return ticket->urgent; });
    if (!hurries) co_await pause_for(gather);
}

asio::awaitable<void> ChunkBatcher::serve_claims() {
    co_await asio::post(executor_, asio::use_awaitable);  // Those who were called with this one.
    while (!claims_.empty()) {
        co_await gather_claims();
        while (behind_ && !stopping_) co_await caught_up_.wait();
        const auto tickets = take(claims_);
        latest_claims_ = tickets.size();
        std::vector<ledger::ClaimRequest> requests;
        for (const auto& ticket : tickets) requests.push_back(ticket->request);
        const auto same_chunk = [](const auto& a, const auto& b) { return a.key == b.key; };
        std::sort(requests.begin(), requests.end());
        requests.erase(std::unique(requests.begin(), requests.end(), same_chunk), requests.end());
        const auto token = options_.token();
        auto wait = retry_first;
        auto claimed = co_await store_.claim(requests, options_.lease, token);
        while (!claimed && is_retryable(claimed.error().code) && !stopping_) {
            // The same token: chunks that the lost statement claimed are still ours.
            spdlog::warn("{}", describe(claimed.error()));
            co_await pause_for(wait);
            while (behind_ && !stopping_) co_await caught_up_.wait();
            wait = std::min(wait * 2, retry_max);
            claimed = co_await store_.claim(requests, options_.lease, token);
        }
        for (const auto& ticket : tickets) {
            if (!claimed) {
                ticket->answer = claimed.error();
            } else {
                std::optional<ledger::ClaimedChunk> mine;
                for (auto& chunk : claimed.value()) {
                    if (chunk.key != ticket->request.key) continue;
                    // Given out: a second descriptor gets nothing.
                    mine = std::exchange(chunk, {});
                    break;
                }
                ticket->answer = std::move(mine);
            }
            ticket->ready.notify();
        }
    }
    claiming_ = false;
}

/// Marks wait for nobody: the permits of their requests have waited already (Boarding).
template <class Word>
bool ChunkBatcher::is_worth_gathering(const WordQueue<Word>& waiting) const {
    if (!is_record<Word> || stopping_) return false;
    const auto count = waiting.queue.size();
    if (std::max(count, waiting.latest) < 2 || count >= gathered_max) return false;
    return std::all_of(waiting.queue.begin(), waiting.queue.end(), [](const auto& ticket) {
        return ticket->request.outcomes.size() <= small_people_max;
    });
}

template <class Word>
asio::awaitable<void> ChunkBatcher::serve(WordQueue<Word>& waiting) {
    co_await asio::post(executor_, asio::use_awaitable);  // The others of a wave.
    while (!waiting.queue.empty()) {
        if (is_worth_gathering(waiting)) co_await pause_for(gather);
        auto tickets = take(waiting.queue);
        waiting.latest = tickets.size();
        auto again = co_await write(waiting, std::move(tickets));
        for (auto& ticket : again) tasks_.spawn(write_alone(waiting, std::move(ticket)));
    }
    waiting.serving = false;
}

/// Of one whose row somebody else has locked, or that is refused as it is.
template <class Word>
asio::awaitable<void> ChunkBatcher::write_alone(WordQueue<Word>& waiting,
                                                std::shared_ptr<WordTicket<Word>> ticket) {
    auto wait = retry_first;
    while (!ticket->answer) {
        if (stopping_) {
            answer(*ticket, fail(Errc::stopping, waiting.doing));
            co_return;
        }
        co_await pause_for(wait);
        wait = std::min(wait * 2, retry_max);
        Tickets<Word> tickets{ticket};
        std::ignore = co_await write(waiting, std::move(tickets));
    }
}

/// Returns those that are to be tried again alone; the others have their answer.
template <class Word>
asio::awaitable<ChunkBatcher::Tickets<Word>> ChunkBatcher::write(WordQueue<Word>& waiting,
                                                                 Tickets<Word> tickets) {
    auto by_key = tickets;
    std::sort(by_key.begin(), by_key.end(),
              [](const auto& a, const auto& b) { return a->request.key < b->request.key; });
    std::vector<Word> words;
    words.reserve(by_key.size());
    for (const auto& ticket : by_key) words.push_back(std::move(ticket->request));
    bool repeated = false;
    auto wait = retry_first;
    auto done = co_await (store_.*waiting.write)(words);
    while (!done && is_retryable(done.error().code) && !stopping_) {
        spdlog::warn("{}", describe(done.error()));
        if (is_record<Word>) behind_ = true;
        co_await pause_for(wait);
        wait = std::min(wait * 2, retry_max);
        repeated = true;
        done = co_await (store_.*waiting.write)(words);
    }
    for (std::size_t i = 0; i < words.size(); ++i) by_key[i]->request = std::move(words[i]);
    if (is_record<Word> && behind_ && waiting.queue.empty()) {
        behind_ = false;
        caught_up_.notify();
    }
    auto again = answer_all(waiting, tickets, done, repeated);
    co_return again;
}

/// `repeated`: the answer to a statement before this one was lost.
template <class Word>
ChunkBatcher::Tickets<Word> ChunkBatcher::answer_all(const WordQueue<Word>& waiting,
                                                     const Tickets<Word>& tickets,
                                                     const Result<WrittenChunks>& done,
                                                     bool repeated) {
    Tickets<Word> again;
    for (const auto& ticket : tickets) {
        const auto& key = ticket->request.key;
        if (!done) {
            answer(*ticket, done.error());
        } else if (contains(done.value().refused, key)) {
            spdlog::error("chunk {}/{}/{}: the ledger refuses what is to be written of it", key.job,
                          to_string(key.channel), key.number);
            // All else is bytes of ours; these are what a provider made up.
            if (ticket->request.provider_ids.empty()) {
                answer(*ticket, fail(Errc::store_rejected, waiting.doing));
            } else {
                ticket->request.provider_ids.clear();
                again.push_back(ticket);
            }
        } else if (contains(done.value().busy, key)) {
            again.push_back(ticket);
        } else {
            const auto& written = done.value();
            // After a lost answer the first statement may have recorded it already. A mark
            // would be found in its place, and is written again.
            const bool is_written = (is_record<Word> && repeated) || contains(written.keys, key);
            answer(*ticket, !is_written                        ? Marked::lost
                            : contains(written.cancelled, key) ? Marked::cancelled
                            : contains(written.paused, key)    ? Marked::paused
                                                               : Marked::ours);
        }
    }
    return again;
}

template <class Word>
void ChunkBatcher::answer(WordTicket<Word>& ticket, Result<Marked> answer) {
    const bool written = answer.has_value();
    ticket.answer = std::move(answer);
    ticket.ready.notify();
    if constexpr (is_record<Word>) {
        if (written && ticket.request.done && on_settled) on_settled(ticket.request.key.job);
    }
}

}  // namespace fanfare
