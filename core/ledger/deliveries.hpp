#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/postgres/connection.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The fate of everyone of a job, piece by piece. Functions block, throw what libpqxx throws, and
/// belong inside postgres::Pool::run().
namespace fanfare::ledger {

/// What became of one person on one channel.
struct Delivery {
    Channel channel = Channel::email;
    Outcome outcome = Outcome::pending;
    Reason reason = Reason::none;
    Reason cause = Reason::none;  // What lies behind the reason: decisions/0006-ledger-shape.md.
    std::string recipient;
    std::string provider_id;
    std::string account;
    std::int32_t attempts = 0;
    std::string updated_at;
    std::int32_t chunk = 0;      // With the position, what a reference names
    std::uint32_t position = 0;  // (core/reference/reference.hpp): from 0.
    DoubtPolicy on_doubt = DoubtPolicy::hold;
};

/// After which person reading goes on: a place in a chunk. Chunks never change their people.
struct DeliveryCursor {
    std::int32_t channel = 0;
    std::int32_t number = 0;
    std::int64_t position = 0;  // Counted from 1; 0: before the first.
};

struct DeliveryFilter {
    std::optional<Channel> channel;
    std::optional<Outcome> outcome;
};

/// Appends up to `limit` deliveries in the order of channel and recipient, and moves the cursor
/// behind them. False at the end. May append fewer, even none, before the end.
///
/// Bounds    one chunk in memory, 64 chunks a call.
[[nodiscard]] bool read_deliveries(postgres::Connection& connection, const std::string& job,
                                   const DeliveryFilter& filter, DeliveryCursor& cursor,
                                   std::size_t limit, std::vector<Delivery>& deliveries);

}  // namespace fanfare::ledger
