#pragma once

#include "core/ledger/write_backs.hpp"
#include "core/postgres/pool.hpp"
#include "worker/send/job_context.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace fanfare {

/// Which jobs are done whose systems want to know, and which of these have heard.
///
/// Threads   one serial executor, on which the answers come as well.
/// Lifetime  what is passed outlives the await.
class WriteBackStore {
public:
    template <class T>
    using Answer = boost::asio::awaitable<Result<T>>;
    using Jobs = std::span<const std::string>;

    virtual ~WriteBackStore() = default;
    /// As ledger::take_done_jobs().
    [[nodiscard]] virtual Answer<std::vector<ledger::DoneJob>> take(
        int limit, std::chrono::milliseconds lease) = 0;
    /// As ledger::mark_written_back() and ledger::postpone_write_backs().
    [[nodiscard]] virtual Answer<void> note(Jobs told, Jobs untold) = 0;
};

/// The systems that want to know.
///
/// Threads and lifetime as above.
class DoneListeners {
public:
    virtual ~DoneListeners() = default;
    [[nodiscard]] virtual bool are_any() const = 0;
    /// Succeeds where nobody wants to know any more.
    [[nodiscard]] virtual boost::asio::awaitable<Result<void>> tell(
        const ledger::DoneJob& done) = 0;
};

/// The ledger's.
///
/// Lifetime  the pool outlives it.
class LedgerWriteBackStore final : public WriteBackStore {
public:
    explicit LedgerWriteBackStore(postgres::Pool& ledger) : ledger_{ledger} {}
    [[nodiscard]] Answer<std::vector<ledger::DoneJob>> take(
        int limit, std::chrono::milliseconds lease) override;
    [[nodiscard]] Answer<void> note(Jobs told, Jobs untold) override;

private:
    postgres::Pool& ledger_;
};

/// Their databases.
///
/// Lifetime  the contexts outlive it.
class DatabaseDoneListeners final : public DoneListeners {
public:
    explicit DatabaseDoneListeners(JobContexts& job_contexts) : job_contexts_{job_contexts} {}
    [[nodiscard]] bool are_any() const override;
    [[nodiscard]] boost::asio::awaitable<Result<void>> tell(const ledger::DoneJob& done) override;

private:
    JobContexts& job_contexts_;
};

}  // namespace fanfare
