#include "worker/send/contact_query.hpp"

#include "core/postgres/halving.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>

#include <algorithm>
#include <exception>
#include <utility>

namespace fanfare {
namespace {

struct EnoughAsked : std::exception {};

/// As PostgreSQL writes them: only these are ordered as their text is. It takes hyphens after any
/// four digits.
bool is_plain_uuid(std::string_view id) {
    if (id.size() != 36) return false;
    for (std::size_t i = 0; i < id.size(); ++i) {
        const auto c = id[i];
        const bool is_between = i == 8 || i == 13 || i == 18 || i == 23;
        const bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (is_between ? c != '-' : !is_digit) return false;
    }
    return true;
}

}  // namespace

const std::optional<Contact>& find_contact(const JobContext& job, Channel channel) {
    return job.system->contacts[static_cast<std::size_t>(channel)];
}

std::shared_ptr<const ContactWays> KnownContactWays::find(postgres::Connection& source,
                                                          Channel channel,
                                                          std::string_view relation) {
    auto& known = ways_[static_cast<std::size_t>(channel)];
    {
        const std::lock_guard guard{mutex_};
        if (known) return known;
    }
    auto found = std::make_shared<const ContactWays>(contact_ways(source, relation));
    const std::lock_guard guard{mutex_};
    known = found;
    return found;
}

void KnownContactWays::forget(Channel channel) {
    const std::lock_guard guard{mutex_};
    ways_[static_cast<std::size_t>(channel)].reset();
}

ContactWay KnownContactWays::choose(Channel channel, bool may_try) {
    const std::lock_guard guard{mutex_};
    return quicker_[static_cast<std::size_t>(channel)].choose(may_try);
}

void KnownContactWays::left(Channel channel, ContactWay way) {
    const std::lock_guard guard{mutex_};
    quicker_[static_cast<std::size_t>(channel)].left(way);
}

void KnownContactWays::took(Channel channel, ContactWay way, std::size_t people, SteadyTime begun) {
    const auto duration = now() - begun;
    const std::lock_guard guard{mutex_};
    quicker_[static_cast<std::size_t>(channel)].took(way, people, duration);
}

namespace {

std::shared_ptr<const ContactWays> find_ways(postgres::Connection& source, const JobContext& job,
                                             Channel channel) {
    const auto& relation = find_contact(job, channel)->relation;
    if (relation.empty() || job.ways == nullptr) return nullptr;
    try {
        return job.ways->find(source, channel, relation);
    } catch (const pqxx::sql_error&) {
        if (!source.is_open()) throw;
        return nullptr;  // The query itself will say what is wrong with it.
    }
}

}  // namespace

ContactQuery::ContactQuery(postgres::Connection& source, const JobContext& job, Channel channel,
                           const ledger::ChunkPeople& people, std::int32_t turn, bool may_try)
    : source_{source},
      job_{job},
      channel_{channel},
      people_{people},
      turn_{static_cast<std::size_t>(turn)},
      may_try_{may_try},
      ways_{find_ways(source, job, channel)} {}

pqxx::result ContactQuery::ask_by_key(postgres::Connection& source, const JobContext& job,
                                      Channel channel, const std::string& people) {
    const auto ways = find_ways(source, job, channel);
    return ask_people(source, ways.get(), *find_contact(job, channel), people);
}

ContactsRead ContactQuery::ask(std::vector<std::uint32_t>& positions, Resolved& resolved) {
    try {
        if (may_ask_a_range(positions)) {
            ask_the_quicker_way(positions, resolved);
        } else {
            resolved.rows = exec(positions);
        }
        return ContactsRead::whole;
    } catch (const std::exception& fault) {
        if (postgres::is_timeout(fault)) return ContactsRead::slow;
        if (!postgres::is_data_error(fault)) {
            if (job_.ways != nullptr) job_.ways->forget(channel_);
            throw;
        }
    }
    if (everybody_fails(positions)) return ContactsRead::fails;
    if (!find_culprits(positions, resolved)) return ContactsRead::part;
    resolved.rows = exec(positions);
    return ContactsRead::whole;
}

/// What takes too long counts as well: a way that ends there is not the quicker one. Not so a key
/// after a range that was no answer: it reads what the range has just brought into memory.
void ContactQuery::ask_the_quicker_way(Positions positions, Resolved& resolved) {
    auto& ways = *job_.ways;
    const bool is_timed = positions.size() >= timed_people_min;
    const auto way = ways.choose(channel_, may_try_ && is_timed);
    const auto begun = ways.now();
    bool is_answer = true;
    try {
        is_answer = way == ContactWay::key || ask_a_range(positions, resolved);
        if (way == ContactWay::key || !is_answer) resolved.rows = exec(positions);
    } catch (const std::exception& fault) {
        ways.left(channel_, way);
        if (postgres::is_timeout(fault)) ways.took(channel_, way, positions.size(), begun);
        throw;
    }
    if (is_timed && is_answer) {
        ways.took(channel_, way, positions.size(), begun);
    } else {
        ways.left(channel_, way);
    }
}

bool ContactQuery::may_ask_a_range(Positions positions) const {
    if (!ways_ || ways_->by_range.empty() || positions.size() < range_people_min) return false;
    if (job_.is_scattered[static_cast<std::size_t>(channel_)]) return false;
    const auto is_plain = [this](std::uint32_t i) {
        return is_plain_uuid(people_.recipients.elements[i]);
    };
    return !ways_->is_uuid || std::all_of(positions.begin(), positions.end(), is_plain);
}

/// False where there are too many others, or one of them raises an error: the next chunks of the
/// job, which have the same neighbours, are not asked for so.
bool ContactQuery::ask_a_range(Positions positions, Resolved& resolved) {
    const auto rows_max = range_rows_max(positions.size());
    auto& is_scattered = job_.is_scattered[static_cast<std::size_t>(channel_)];
    const auto& ids = people_.recipients.elements;
    try {
        resolved.rows = source_.ask_prepared(ways_->by_range, std::string{ids[positions.front()]},
                                             std::string{ids[positions.back()]}, rows_max + 1);
        const auto column = find_column(resolved.rows, "recipient_id");
        const bool is_as_known = column && resolved.rows.column_type(*column) == ways_->type;
        if (!is_as_known && job_.ways != nullptr) job_.ways->forget(channel_);
        if (is_as_known && resolved.rows.size() <= rows_max) return true;
    } catch (const pqxx::sql_error& fault) {
        if (!source_.is_open()) throw;
        if (postgres::is_timeout(fault)) {  // Twice as long would be too long.
            is_scattered = true;
            throw;
        }
        // What else it is the question by key will tell; of which type ids are is asked anew.
        if (!postgres::is_data_error(fault) && job_.ways != nullptr) job_.ways->forget(channel_);
    }
    resolved.rows = {};
    is_scattered = true;
    return false;
}

/// A query that names its people itself is planned for those of each question: a plan for anybody
/// may look at everybody's data before it looks at who they are, and then one person's costs all.
pqxx::result ContactQuery::ask_people(postgres::Connection& source, const ContactWays* ways,
                                      const Contact& contact, const std::string& people) {
    if (ways != nullptr && ways->is_blind) return source.ask_prepared(ways->by_key, people);
    pqxx::nontransaction work{source.raw()};
    return work.exec_params(ways != nullptr ? ways->by_key : contact.query.sql, people);
}

pqxx::result ContactQuery::exec(Positions positions) {
    const auto& contact = *find_contact(job_, channel_);
    // Most often everybody is asked for, and the ledger has written that already.
    if (positions.size() == people_.outcomes.size()) {
        return ask_people(source_, ways_.get(), contact, people_.recipients_literal);
    }
    postgres::ArrayLiteral people;
    for (const auto i : positions) people.add(people_.recipients.elements[i]);
    return ask_people(source_, ways_.get(), contact, people.text());
}

/// Asks for some alone, others after each failure, so that nobody asks for a thousand people
/// one by one where the query itself is to blame. Of few it is their own data.
bool ContactQuery::everybody_fails(Positions positions) {
    if (positions.size() < sample_size) return false;
    const auto step = positions.size() / sample_size;
    const auto first = turn_ % step;
    for (std::size_t i = 0; i < sample_size; ++i) {
        try {
            std::ignore = exec(positions.subspan(first + i * step, 1));
            return false;
        } catch (const std::exception& fault) {
            if (!postgres::is_data_error(fault)) throw;
        }
    }
    return true;
}

/// False when not everybody could be looked at.
bool ContactQuery::find_culprits(std::vector<std::uint32_t>& positions, Resolved& resolved) {
    int questions = 0;
    const auto look = [&](Positions some) {
        if (++questions > questions_max) throw EnoughAsked{};
        std::ignore = exec(some);
    };
    const auto blame = [&](std::uint32_t culprit, const std::exception&) {
        resolved.fates[culprit] = {Outcome::failed, Reason::recipient_invalid};
    };
    bool all = true;
    try {
        postgres::halve(Positions{positions}, look, blame);
    } catch (const EnoughAsked&) {
        all = false;
    }
    std::erase_if(positions, [&resolved](std::uint32_t i) {
        return resolved.fates[i].outcome != Outcome::pending;
    });
    return all;
}

}  // namespace fanfare
