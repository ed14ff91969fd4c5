#pragma once

#include "core/clock/clock.hpp"
#include "core/postgres/pool.hpp"
#include "core/rendering/templates.hpp"
#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"
#include "core/wire/job.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fanfare {

class KnownContactWays;

/// What every chunk of one job needs to know of it; read once, shared by all.
struct JobContext {
    Job job;
    std::string trace;   // encode_trace(); "": of none.
    std::string origin;  // Whose places under caps and whose addresses count as this job's own.
    const System* system = nullptr;
    const Kind* kind = nullptr;
    postgres::Pool* source = nullptr;                      // The system's database.
    std::vector<std::pair<std::string, TimePoint>> times;  // Kind::times with their moments.
    std::string collapse_key;                              // Kind::collapse_key, filled in.
    std::string unsubscribe_prefix;    // "<base>/u/<job>."; "" where nobody can unsubscribe.
    std::string address_key;           // Of the marks in those links; "": they have none.
    Templates templates;               // The shipped ones, or its owner's as it was planned with.
    std::size_t bytes = 0;             // Of the job, and of its owner's texts.
    KnownContactWays* ways = nullptr;  // Of the system; null: people are asked for by the query.
    /// Learned while it is sent: between its people there are many others.
    mutable std::array<std::atomic<bool>, channel_count> is_scattered{};
};

/// The systems, the connections to their databases, and what their jobs say.
///
/// Bounds    own_bytes_max of owners' texts are kept, for the next jobs of the same owners.
/// Threads   any.
/// Lifetime  the systems, the templates and the clock outlive it.
class JobContexts {
public:
    static constexpr std::size_t own_bytes_max = 8'388'608;

    /// How the systems' databases are reached. Those without one of their own are in the ledger's,
    /// with connections of their own all the same: no query of a system keeps the ledger waiting.
    struct Reach {
        Secret ledger_url;
        std::size_t connections = 4;              // Per system.
        std::chrono::milliseconds lease{60'000};  // A query takes half of it at most.
    };

    /// `link_base` is the public URL that unsubscribe links begin with; "" for no links.
    JobContexts(const Systems& systems, const Templates& templates, const Reach& reach,
                std::string link_base, const Clock& clock);
    ~JobContexts();
    JobContexts(const JobContexts&) = delete;
    JobContexts& operator=(const JobContexts&) = delete;

    [[nodiscard]] postgres::Pool& find_pool(const System& system);

    /// The same database, for write-backs.
    [[nodiscard]] postgres::Pool& find_writer(const System& system);

    /// All of them: people, write_backs.
    [[nodiscard]] std::vector<postgres::NamedPool> pools() const;

    [[nodiscard]] const Systems& systems() const noexcept { return systems_; }

    /// Whether people can unsubscribe by a link.
    [[nodiscard]] bool has_links() const noexcept { return !link_base_.empty(); }

    /// Understands a job's body; fails when its system or kind is no longer configured.
    [[nodiscard]] Result<std::shared_ptr<const JobContext>> load_context(std::string_view body);

    /// The same with its owner's templates (ledger::load_templates()), which are read with `ledger`
    /// unless they are known; throws what libpqxx throws.
    [[nodiscard]] Result<std::shared_ptr<const JobContext>> load_context(
        postgres::Connection& ledger, std::string_view body,
        std::optional<std::int64_t> own_templates, const std::string& origin = {},
        const std::string& trace = {});

private:
    struct Own {
        Templates templates;
        std::size_t bytes = 0;
    };
    [[nodiscard]] Result<std::shared_ptr<JobContext>> read(std::string_view body);
    [[nodiscard]] std::string address_key(postgres::Connection& ledger);
    [[nodiscard]] Result<Own> read_own(postgres::Connection& ledger, const Kind& kind,
                                       std::int64_t id);

    const Systems& systems_;
    const Templates& templates_;
    std::string link_base_;
    std::map<std::string, std::unique_ptr<postgres::Pool>> pools_;
    std::map<std::string, std::unique_ptr<postgres::Pool>> writers_;  // Systems with write-backs.
    std::map<std::string, std::unique_ptr<KnownContactWays>> ways_;   // By system.
    std::mutex mutex_;
    std::map<std::int64_t, Own> own_;  // By load_templates()'s id. Versions never change.
    std::size_t own_bytes_ = 0;
    std::string address_key_;  // It never changes; "": not read yet.
};

}  // namespace fanfare
