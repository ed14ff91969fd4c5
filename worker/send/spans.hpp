#pragma once

#include "core/http/exchange.hpp"
#include "core/providers/provider.hpp"
#include "core/tracing/tracer.hpp"
#include "worker/send/claim.hpp"

#include <cstdint>
#include <optional>

namespace fanfare {

/// The span of a claimed chunk, and those of the calls for it; there are none where nobody wants
/// them.
///
/// Lifetime  the tracer and the claim outlive it.
class ChunkSpan {
public:
    /// Of a chunk that was claimed at `claimed`; `tracer` may be null: nobody wants spans.
    ChunkSpan(Tracer* tracer, const Claim& claim, std::size_t people, TimePoint claimed);

    /// One call of a provider, which has just ended.
    void tell_request(const AccountSettings& account, std::uint32_t people,
                      const HttpAnswer& answer, const BatchAnswer& meaning, TimePoint now) const;

    /// The chunk is somebody else's.
    void lose();

    /// It ends with its record, or without one.
    void end(const ledger::ChunkPeople& people, const AccountSettings& account);

    [[nodiscard]] bool is_wanted() const noexcept { return span_.has_value(); }

private:
    Tracer* tracer_;
    const Claim& claim_;
    std::optional<Span> span_;
};

}  // namespace fanfare
