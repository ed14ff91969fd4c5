#include "sim/oracle/oracle.hpp"

#include <algorithm>

namespace fanfare::sim {

std::uint32_t Oracle::find_job(ProviderIndex provider, std::string_view reference) {
    auto name = reference.substr(0, std::min(reference.find('.'), name_bytes_max));
    if (last_job_ < jobs_.size() && jobs_[last_job_].provider == provider &&
        jobs_[last_job_].name == name) {
        return last_job_;
    }
    key_.assign(1, static_cast<char>(provider)).append(name);
    if (jobs_.size() >= jobs_max && !by_name_.contains(key_)) {
        name = "(others)";
        key_.assign(1, static_cast<char>(provider)).append(name);
    }
    const auto [found, is_new] =
        by_name_.try_emplace(key_, static_cast<std::uint32_t>(jobs_.size()));
    if (is_new) jobs_.push_back({.provider = provider, .name = std::string{name}, .tally = {}});
    return last_job_ = found->second;
}

void Oracle::accept(std::uint32_t job, std::span<const std::string_view> addresses,
                    std::int64_t now_ns) {
    const auto added = accepted_.add(job, addresses);
    for (auto* tally : {&jobs_[job].tally, &providers_[jobs_[job].provider].tally}) {
        tally->accepted += addresses.size();
        tally->people += added.people;
        tally->duplicated += added.duplicated;
        tally->largest_batch = std::max<std::uint64_t>(tally->largest_batch, addresses.size());
        if (tally->first_accept_ns == 0) tally->first_accept_ns = now_ns;
        tally->last_accept_ns = now_ns;
    }
}

void Oracle::reset() {
    for (auto& provider : providers_) {
        const auto concurrent = provider.concurrent;  // Those are still under way.
        provider = {};
        provider.concurrent = concurrent;
    }
    jobs_.clear();
    by_name_.clear();
    accepted_.clear();
    ++generation_;
}

}  // namespace fanfare::sim
