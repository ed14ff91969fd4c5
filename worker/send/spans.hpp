#pragma once

#include "core/http/exchange.hpp"
#include "core/providers/provider.hpp"
#include "core/tracing/tracer.hpp"
#include "worker/send/claim.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace fanfare {

/// The span of a claimed chunk, and those of the calls for it; there are none where nobody wants
/// them.
///
/// Lifetime  the tracer and the claim outlive it.
class ChunkSpan {
public:
    /// Of a chunk that was claimed `since` ago; `tracer` may be null: nobody wants spans. All spans
    /// go by the tracer's clock, which need not be the ledger's.
    ChunkSpan(Tracer* tracer, const Claim& claim, std::size_t people,
              std::chrono::nanoseconds since);

    /// One call of a provider, which has just ended.
    void tell_request(const AccountSettings& account, std::uint32_t people,
                      const HttpAnswer& answer, const BatchAnswer& meaning) const;

    /// The chunk is somebody else's, or what became of it is not in the ledger.
    void lose();

    /// It ends with its record, or without one; `account` served it last.
    void end(const ledger::ChunkPeople& people, const AccountSettings& account);

    [[nodiscard]] bool is_wanted() const noexcept { return span_.has_value(); }

private:
    Tracer* tracer_;
    const Claim& claim_;
    std::optional<Span> span_;
};

}  // namespace fanfare
