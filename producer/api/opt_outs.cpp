#include "producer/api/opt_outs.hpp"

#include "core/ledger/opt_outs.hpp"
#include "producer/api/fields.hpp"
#include "producer/api/owners.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/text_validation.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
enum class OptOutMove : std::uint8_t { leaves, comes_back };
constexpr int others_max = 100;  // Looked up for one who comes back.

/// The person a path names, or the refusal.
std::variant<ledger::OptOutChange, HttpReply> read_person(const ApiContext& parts,
                                                          const HttpCall& call,
                                                          const Caller& caller) {
    ledger::OptOutChange person;
    person.system = call.param("system");
    person.recipient = call.param("recipient");
    if (auto denial = denied(caller, person.system)) return std::move(*denial);
    if (auto denial = denied_to_owners(caller)) return std::move(*denial);
    if (!parts.systems.contains(person.system)) return nothing_here("system");
    if (!is_plain(person.recipient, Job::id_bytes_max)) return nothing_here("recipient");
    return person;
}

/// All lists of a system: those of its kinds.
std::vector<std::string> names_of_lists(const System& system) {
    std::vector<std::string> lists;
    for (const auto& [name, kind] : system.kinds) {
        const bool known = std::find(lists.begin(), lists.end(), kind.list) != lists.end();
        if (!kind.list.empty() && !known) lists.push_back(kind.list);
    }
    return lists;
}

/// Reads the body: of one kind and channel, or of all.
std::optional<HttpReply> read_scope(const HttpCall& call, const System& system,
                                    ledger::OptOutChange& change) {
    change.channels.assign(channels.begin(), channels.end());
    change.lists = names_of_lists(system);
    if (call.body.empty()) return std::nullopt;
    Fields fields{call.body, {"kind", "channel"}};
    const auto kind_name = fields.text_if_there("kind", 100);
    const auto channel_name = fields.text_if_there("channel", 10);
    if (auto fault = fields.fault()) return fault;
    if (!channel_name.empty()) {
        const auto channel = parse_channel(channel_name);
        if (!channel) {
            return refusal(422, "unknown_channel", "/channel: send email, sms or push");
        }
        change.channels = {*channel};
    }
    if (kind_name.empty()) return std::nullopt;
    const auto* const kind = system.find_kind(kind_name);
    if (kind == nullptr) return refusal(422, "unknown_kind", "/kind: send a kind of this system");
    if (kind->list.empty()) {
        return refusal(422, "no_list", "/kind: is no bulk mail; nobody can unsubscribe from it");
    }
    change.lists = {kind->list};
    return std::nullopt;
}

HttpReply shown_opt_outs(const ledger::OptOutChange& person,
                         const std::vector<ledger::OptOut>& found) {
    json::array list;
    for (const auto& each : found) {
        list.push_back(json::object{{"channel", text(to_string(each.channel))},
                                    {"list", each.list},
                                    {"since", each.created_at}});
    }
    const json::object document{{"recipient", person.recipient}, {"opt_outs", std::move(list)}};
    return reply_with(200, document);
}

using OptOuts = std::vector<ledger::OptOut>;

HttpReply answer_with(const ledger::OptOutChange& person, const Result<OptOuts>& found) {
    if (!found) return unavailable(found.error());
    return shown_opt_outs(person, found.value());
}

asio::awaitable<HttpReply> show_opt_outs(const ApiContext& parts, const HttpCall& call,
                                         const Caller& caller) {
    auto read = read_person(parts, call, caller);
    if (auto* const reply = std::get_if<HttpReply>(&read)) co_return std::move(*reply);
    const auto& person = std::get<ledger::OptOutChange>(read);
    auto work = [&](postgres::Connection& connection) {
        return ledger::find_opt_outs(connection, person.system, person.recipient);
    };
    std::string doing{"look up opt-outs"};
    const auto found = co_await parts.ledger.run(std::move(doing), work);
    co_return answer_with(person, found);
}

/// What was found of a person, or of several.
using FoundAddresses = Result<std::vector<AddressLookup::Addresses>>;

/// What holds for the person's addresses, too. On one channel at a time: what fails on one keeps no
/// other back.
asio::awaitable<std::optional<Failure>> find_addresses(const ApiContext& parts,
                                                       ledger::OptOutChange& person) {
    std::optional<Failure> failure;
    for (const auto channel : person.channels) {
        std::string system = person.system;
        std::vector<AddressLookup::Sought> sought{{channel, person.recipient}};
        FoundAddresses found = co_await parts.lookup.find(std::move(system), std::move(sought));
        if (found) {
            auto& addresses = person.addresses[static_cast<std::size_t>(channel)];
            addresses = std::move(found.value().front());
        } else {
            failure = found.error();
        }
    }
    co_return failure;
}

/// Stored at once, whatever the system's database does; what is not found of their addresses a
/// worker looks up later.
asio::awaitable<Result<OptOuts>> leave(const ApiContext& parts, ledger::OptOutChange& person) {
    auto work = [&](postgres::Connection& connection) {
        ledger::opt_out_by_hand(connection, person);
        return ledger::find_opt_outs(connection, person.system, person.recipient);
    };
    std::string storing{"store who left"};
    auto stored = co_await parts.ledger.run(std::move(storing), work);
    if (!stored) co_return stored.error();
    if (const auto failure = co_await find_addresses(parts, person)) log_failed_call(*failure);
    auto keep = [&person](postgres::Connection& connection) {
        ledger::keep_addresses(connection, person);
    };
    std::string keeping{"keep the addresses of who left"};
    const auto kept = co_await parts.ledger.run(std::move(keeping), keep);
    if (!kept) log_failed_call(kept.error());
    co_return std::move(stored.value());
}

/// What others would bring with them who left the same and are still to be looked up.
asio::awaitable<Result<std::vector<ledger::LeftWith>>> find_others(
    const ApiContext& parts, const ledger::OptOutChange& person) {
    auto work = [&person](postgres::Connection& connection) {
        return ledger::unread_opt_outs_beside(connection, person, others_max);
    };
    std::string doing{"find who left with an address"};
    auto unread = co_await parts.ledger.run(std::move(doing), work);
    if (!unread) co_return unread.error();
    std::vector<ledger::LeftWith> others;
    if (unread.value().empty()) co_return others;
    std::string system = person.system;
    std::vector<AddressLookup::Sought> sought;
    for (const auto& left : unread.value()) sought.push_back({left.channel, left.recipient});
    FoundAddresses found = co_await parts.lookup.find(std::move(system), std::move(sought));
    if (!found) co_return found.error();
    for (std::size_t i = 0; i < found.value().size(); ++i) {
        others.push_back({std::move(unread.value()[i]), std::move(found.value()[i])});
    }
    co_return others;
}

/// Waits for the system's database, or somebody else's word on the same address would still stand.
asio::awaitable<Result<OptOuts>> come_back(const ApiContext& parts, ledger::OptOutChange& person) {
    if (auto failure = co_await find_addresses(parts, person)) co_return std::move(*failure);
    const auto others = co_await find_others(parts, person);
    if (!others) co_return others.error();
    auto work = [&](postgres::Connection& connection) {
        ledger::opt_in_by_hand(connection, person, others.value());
        return ledger::find_opt_outs(connection, person.system, person.recipient);
    };
    std::string doing{"take an opt-out back"};
    co_return co_await parts.ledger.run(std::move(doing), work);
}

asio::awaitable<HttpReply> apply(const ApiContext& parts, const HttpCall& call,
                                 const Caller& caller, OptOutMove change) {
    auto read = read_person(parts, call, caller);
    if (auto* const reply = std::get_if<HttpReply>(&read)) co_return std::move(*reply);
    auto& person = std::get<ledger::OptOutChange>(read);
    const auto& system = parts.systems.find(person.system)->second;
    if (auto fault = read_scope(call, system, person)) co_return std::move(*fault);
    if (change == OptOutMove::leaves) {
        const auto left = co_await leave(parts, person);
        co_return answer_with(person, left);
    }
    const auto left = co_await come_back(parts, person);
    co_return answer_with(person, left);
}

}  // namespace

void add_opt_out_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    const auto changes = [&parts](OptOutMove change) {
        return [&parts, change](const HttpCall& call, const Caller& caller) {
            return apply(parts, call, caller, change);
        };
    };
    routes.get("/v1/systems/{system}/recipients/{recipient}/opt-outs", Scope::read,
               [&parts](const HttpCall& call, const Caller& caller) {
                   return show_opt_outs(parts, call, caller);
               });
    routes.post("/v1/systems/{system}/recipients/{recipient}/unsubscribe", Scope::publish,
                changes(OptOutMove::leaves));
    routes.post("/v1/systems/{system}/recipients/{recipient}/resubscribe", Scope::publish,
                changes(OptOutMove::comes_back));
}

}  // namespace fanfare::api
