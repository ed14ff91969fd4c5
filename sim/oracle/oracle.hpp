#pragma once

#include "sim/oracle/acceptance_index.hpp"
#include "sim/oracle/tally.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fanfare::sim {

using ProviderIndex = std::uint8_t;

/// The memory of the simulator: who was sent what, how often, and at what rate.
///
/// Bounds    AcceptanceIndex's; `jobs_max` jobs, what is beyond counts under the job "(others)".
/// Threads   one at a time: its owner locks.
class Oracle {
public:
    struct Job {
        ProviderIndex provider;
        std::string name;
        Tally tally;
    };
    struct ProviderState {
        Tally tally;
        PeakRate requests_peak;
        PeakRate recipients_peak;
        std::uint32_t concurrent = 0;
        std::uint32_t concurrent_max = 0;
        std::unordered_map<int, std::uint64_t> codes;  // HTTP status; 0: no answer.
    };

    explicit Oracle(std::size_t providers) : providers_(providers) {}

    /// "<job>.<chunk>" -> the job; created when new.
    [[nodiscard]] std::uint32_t find_job(ProviderIndex provider, std::string_view reference);
    void accept(std::uint32_t job, std::span<const std::string_view> addresses,
                std::int64_t now_ns);

    [[nodiscard]] ProviderState& provider(ProviderIndex index) { return providers_[index]; }
    [[nodiscard]] const ProviderState& provider(ProviderIndex index) const {
        return providers_[index];
    }
    [[nodiscard]] Job& job(std::uint32_t index) { return jobs_[index]; }
    [[nodiscard]] const std::vector<Job>& jobs() const noexcept { return jobs_; }
    [[nodiscard]] const AcceptanceIndex& accepted() const noexcept { return accepted_; }
    /// Changes with every reset: a reader of the index that sees it change must stop.
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
    void reset();

private:
    static constexpr std::size_t jobs_max = 1'000'000;
    static constexpr std::size_t name_bytes_max = 200;

    std::vector<ProviderState> providers_;
    std::vector<Job> jobs_;
    std::unordered_map<std::string, std::uint32_t> by_name_;  // Provider byte, then the name.
    std::string key_;
    std::uint32_t last_job_ = 0;
    AcceptanceIndex accepted_;
    std::uint64_t generation_ = 0;
};

}  // namespace fanfare::sim
