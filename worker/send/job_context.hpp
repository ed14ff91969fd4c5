#pragma once

#include "core/clock/clock.hpp"
#include "core/postgres/pool.hpp"
#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"
#include "core/wire/job.hpp"

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fanfare {

/// What every chunk of one job needs to know of it; read once, shared by all.
struct JobContext {
    Job job;
    const System* system = nullptr;
    const Kind* kind = nullptr;
    postgres::Pool* source = nullptr;                      // The system's database.
    std::vector<std::pair<std::string, TimePoint>> times;  // Kind::times with their moments.
    std::string collapse_key;                              // Kind::collapse_key, filled in.
    std::string unsubscribe_prefix;  // "<base>/u/<job>."; "" where nobody can unsubscribe.
};

/// The systems and the connections to their databases.
///
/// Lifetime  the systems and the ledger's pool outlive it.
class Sources {
public:
    /// `link_base` is the public URL that unsubscribe links begin with; "" for no links.
    Sources(const Systems& systems, postgres::Pool& ledger, std::size_t connections,
            std::string link_base);

    [[nodiscard]] postgres::Pool& pool_of(const System& system);

    /// The same database, for write-backs.
    [[nodiscard]] postgres::Pool& writer_of(const System& system);

    [[nodiscard]] const Systems& systems() const noexcept { return systems_; }

    /// Understands a job's body; fails when its system or kind is no longer configured.
    [[nodiscard]] Result<std::shared_ptr<const JobContext>> understand(std::string_view body);

private:
    const Systems& systems_;
    postgres::Pool& ledger_;
    std::string link_base_;
    std::map<std::string, std::unique_ptr<postgres::Pool>> pools_;
    std::map<std::string, std::unique_ptr<postgres::Pool>> writers_;  // Systems with write-backs.
};

}  // namespace fanfare
