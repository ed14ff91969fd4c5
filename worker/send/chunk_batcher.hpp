#pragma once

#include "core/async/task_group.hpp"
#include "core/ledger/chunks.hpp"
#include "worker/send/chunk_store.hpp"

#include <boost/asio/awaitable.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {

/// What the ledger answers to a mark.
enum class Marked : std::uint8_t {
    ours,       // It is written: requests that it names may begin.
    cancelled,  // Written too, but the job was cancelled meanwhile.
    paused,     // Written too, but an operator holds it back.
    lost,       // Somebody else has the chunk.
    away,       // The ledger cannot be asked.
};

/// Groups the claims, marks and records of many chunks into one statement. While one statement is
/// under way the next requests queue up and share the following one: many chunks, one round trip
/// and one flush to disk. Nobody waits for another's chunk: one whose row is locked is tried again
/// alone, and one that PostgreSQL refuses is refused alone. While records cannot be written,
/// nothing is claimed. Where chunks come one after the other, as small ones of many jobs do, claims
/// wait for each other for `gather`, and so do records of small chunks: one costs nearly as much as
/// ten, and those who are claimed together share their later statements, too.
///
/// Bounds    64 chunks a statement; one statement of each kind at a time. Nobody gathers where no
///           two came together of late.
/// Stop      stop() ends the retries after a database fault; then await join().
/// Threads   one serial executor.
class ChunkBatcher {
public:
    static constexpr std::chrono::milliseconds gather{2};
    static constexpr std::size_t small_people_max = 32;
    struct Options {
        std::chrono::milliseconds lease{60'000};
        std::function<std::int64_t()> token;  // Random, for claims.
    };
    ChunkBatcher(const boost::asio::any_io_executor& executor, ChunkStore& store, Options options);

    /// Ours, or nothing: it is settled, not yet due, or somebody else's. With what is urgent nobody
    /// begins to wait for others.
    [[nodiscard]] boost::asio::awaitable<Result<std::optional<ledger::ClaimedChunk>>> claim(
        ledger::ClaimRequest request, bool urgent = false);

    /// Goes on trying while the database is away, until stop().
    [[nodiscard]] boost::asio::awaitable<Marked> mark(ledger::ChunkMark mark);

    /// True when written, false when somebody else took the chunk over meanwhile and their word
    /// counts. Goes on trying while the database is away, until stop().
    [[nodiscard]] boost::asio::awaitable<Result<bool>> record(ledger::ChunkRecord record);

    /// True while there are records that the database did not take when it was asked.
    [[nodiscard]] bool is_behind() const noexcept { return behind_; }

    void stop();
    [[nodiscard]] boost::asio::awaitable<void> join() { return tasks_.join(); }

    /// Called with the jobs whose last chunk here was just settled.
    std::function<void(const std::string& job)> on_settled;

private:
    template <class Request, class Answer>
    struct Ticket {
        explicit Ticket(const boost::asio::any_io_executor& executor) : ready{executor} {}
        Request request;
        std::optional<Result<Answer>> answer;
        Signal ready;
        bool urgent = false;
    };
    using ClaimTicket = Ticket<ledger::ClaimRequest, std::optional<ledger::ClaimedChunk>>;
    template <class Word>
    using WordTicket = Ticket<Word, Marked>;
    template <class Word>
    using Tickets = std::vector<std::shared_ptr<WordTicket<Word>>>;

    /// Where words of one kind about chunks queue up.
    template <class Word>
    struct WordQueue {
        std::string doing;
        ChunkStore::Answer<WrittenChunks> (ChunkStore::*write)(std::span<const Word>);
        std::deque<std::shared_ptr<WordTicket<Word>>> queue;
        bool serving = false;
        std::size_t latest = 0;  // How many shared the last statement.
    };

    [[nodiscard]] boost::asio::awaitable<void> serve_claims();
    [[nodiscard]] boost::asio::awaitable<void> gather_claims();
    template <class Word>
    [[nodiscard]] boost::asio::awaitable<Result<Marked>> hand_in(WordQueue<Word>& waiting,
                                                                 Word word);
    template <class Word>
    [[nodiscard]] bool is_worth_gathering(const WordQueue<Word>& waiting) const;
    template <class Word>
    [[nodiscard]] boost::asio::awaitable<void> serve(WordQueue<Word>& waiting);
    template <class Word>
    [[nodiscard]] boost::asio::awaitable<Tickets<Word>> write(WordQueue<Word>& waiting,
                                                              Tickets<Word> tickets);
    /// Returns those that are to be tried again alone.
    template <class Word>
    [[nodiscard]] Tickets<Word> answer_all(const WordQueue<Word>& waiting,
                                           const Tickets<Word>& tickets,
                                           const Result<WrittenChunks>& done, bool repeated);
    template <class Word>
    [[nodiscard]] boost::asio::awaitable<void> write_alone(
        WordQueue<Word>& waiting, std::shared_ptr<WordTicket<Word>> ticket);
    template <class Word>
    void answer(WordTicket<Word>& ticket, Result<Marked> answer);

    boost::asio::any_io_executor executor_;
    ChunkStore& store_;
    Options options_;
    TaskGroup tasks_;
    std::deque<std::shared_ptr<ClaimTicket>> claims_;
    std::size_t latest_claims_ = 0;  // How many shared the last statement.
    WordQueue<ledger::ChunkMark> marks_;
    WordQueue<ledger::ChunkRecord> records_;
    Signal caught_up_;
    bool claiming_ = false;
    bool behind_ = false;
    bool stopping_ = false;
};

}  // namespace fanfare
