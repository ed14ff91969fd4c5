#include "worker/send/chunk_store.hpp"

#include "core/ledger/jobs.hpp"
#include "core/postgres/halving.hpp"

namespace fanfare {
namespace {

namespace asio = boost::asio;

void append_keys(std::vector<ledger::ChunkKey>& keys, const std::vector<ledger::ChunkKey>& more) {
    keys.insert(keys.end(), more.begin(), more.end());
}

/// One that PostgreSQL refuses is refused alone.
template <class Word>
WrittenChunks write_halving(postgres::Connection& ledger, std::span<const Word> words,
                            ledger::Written (*write)(postgres::Connection&,
                                                     std::span<const Word>)) {
    WrittenChunks done;
    const auto some = [&](std::span<const Word> part) {
        const auto written = write(ledger, part);
        append_keys(done.keys, written.keys);
        append_keys(done.busy, written.busy);
        append_keys(done.cancelled, written.cancelled);
        append_keys(done.paused, written.paused);
    };
    const auto refused = [&](const Word& one, const std::exception&) {
        done.refused.push_back(one.key);
    };
    postgres::halve(words, some, refused);
    return done;
}

}  // namespace

asio::awaitable<Result<std::vector<ledger::ClaimedChunk>>> LedgerChunkStore::claim(
    std::span<const ledger::ClaimRequest> requests, std::chrono::milliseconds lease,
    std::int64_t token) {
    return ledger_.run("claim chunks", [=, this](postgres::Connection& ledger) {
        return ledger::claim_chunks(ledger, requests, lease, token, time_.now());
    });
}

asio::awaitable<Result<WrittenChunks>> LedgerChunkStore::mark(
    std::span<const ledger::ChunkMark> marks) {
    return ledger_.run("mark chunks", [=](postgres::Connection& ledger) {
        return write_halving(ledger, marks, ledger::mark_chunks);
    });
}

asio::awaitable<Result<WrittenChunks>> LedgerChunkStore::record(
    std::span<const ledger::ChunkRecord> records) {
    return ledger_.run("record chunks", [=](postgres::Connection& ledger) {
        return write_halving(ledger, records, ledger::record_chunks);
    });
}

asio::awaitable<Result<bool>> LedgerChunkStore::split(const ledger::ChunkClaim& claim,
                                                      ledger::ChunkPeople& people,
                                                      std::span<const ledger::Split> splits) {
    return ledger_.run("split a chunk", [&claim, &people, splits](postgres::Connection& ledger) {
        return ledger::split_chunk(ledger, claim, people, splits);
    });
}

asio::awaitable<Result<bool>> LedgerChunkStore::is_cancelled(const std::string& job) {
    return ledger_.run("look for a cancel", [&job](postgres::Connection& ledger) {
        return ledger::is_cancelled(ledger, job);
    });
}

}  // namespace fanfare
