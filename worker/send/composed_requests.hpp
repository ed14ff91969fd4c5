#pragma once

#include "core/clock/clock.hpp"
#include "core/providers/provider.hpp"
#include "core/reference/reference.hpp"
#include "core/rendering/date_formatter.hpp"
#include "worker/send/resolve.hpp"

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fanfare {

/// One request ready to go: whom it serves, and its bytes.
struct ComposedRequest {
    std::uint32_t group = 0;  // Of ComposedRequests::groups.
    std::uint32_t first = 0;  // Messages [first, first + count) of the group.
    std::uint32_t count = 0;
    std::uint32_t tokens = 1;  // Of the account's rate that it takes.
    std::uint32_t era = 0;     // Of the breaker: when it was let through.
    bool is_composed = true;
    HttpRequest request;
};

/// A chunk rendered and composed: the messages of each locale, and the requests.
struct ComposedRequests {
    /// People who get the same text but for their own values.
    struct Group {
        Content content;
        std::vector<Message> messages;
        std::vector<const Target*> targets;    // Of the messages.
        std::vector<std::string_view> values;  // content.variables.size() a message.
    };
    std::vector<std::unique_ptr<Group>> groups;
    std::vector<ComposedRequest> requests;
    std::vector<const Target*> too_long;  // Whose message is longer than may be sent.
    std::size_t lost_zones = 0;           // People whose time zone is none.
    std::deque<std::string> made;         // Values that had to be formatted.
    std::vector<std::string> refs;        // One a recipient of the chunk.
    std::string seals;                    // seal_characters a target, or none at all.
    std::vector<HttpRequest> spare;       // Of chunks before (SpareRequests): their room is taken.
};

/// What rendering needs besides the chunk.
struct ComposeContext {
    const Provider& provider;
    const References& references;
    std::size_t batch_max = 1;
    TimePoint now;
};

/// Names of the variables that differ by person: columns of the contact query, times, and the
/// link to unsubscribe.
[[nodiscard]] std::vector<std::string> personal_variables(const JobContext& job, Channel channel,
                                                          const pqxx::result& contacts);

/// Composes every target's request. CPU only; runs on a thread of a pool. Fails when a template
/// does: the planner has checked them, so that means they were changed since.
[[nodiscard]] Result<void> compose_requests(const Claim& claim, const ledger::ChunkPeople& people,
                                            const Resolved& resolved, const ComposeContext& context,
                                            ComposedRequests& requests);

/// Composes one request anew, for a slice of a group (after the provider asked to split, or for
/// a new credential).
void compose_request(const Claim& claim, const Provider& provider,
                     const ComposedRequests::Group& group, ComposedRequest& composed);

}  // namespace fanfare
