#pragma once

#include "core/audience/contact_ways.hpp"
#include "core/clock/clock.hpp"
#include "core/systems/system.hpp"
#include "worker/send/quicker_way.hpp"
#include "worker/send/resolve.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare {

/// How the job's system says where people are reached; nothing: not on that channel.
[[nodiscard]] const std::optional<Contact>& find_contact(const JobContext& job, Channel channel);

/// The ways of a system's contacts, asked for once, and which of them is quicker. Any thread.
class KnownContactWays {
public:
    explicit KnownContactWays(const Clock& clock) : clock_{clock} {}

    [[nodiscard]] std::shared_ptr<const ContactWays> find(postgres::Connection& source,
                                                          Channel channel,
                                                          std::string_view relation);
    /// The query failed: its table may have been changed.
    void forget(Channel channel);

    /// As QuickerWay's; of chunks that are large enough to tell.
    [[nodiscard]] ContactWay choose(Channel channel, bool may_try);
    void took(Channel channel, ContactWay way, std::size_t people, SteadyTime begun);
    void left(Channel channel, ContactWay way);
    [[nodiscard]] SteadyTime now() const { return clock_.steady_now(); }

private:
    const Clock& clock_;
    std::mutex mutex_;
    std::array<std::shared_ptr<const ContactWays>, channel_count> ways_;
    std::array<QuickerWay, channel_count> quicker_;
};

/// The contact query of one chunk, and who of it raises an error.
///
/// Who stands close together is asked for by the first and the last of them, which reads an index
/// once from here to there instead of once a person; whoever else is there is left out by who reads
/// the answer. Where too many others are, wherever a range is not safe, and where it has taken
/// longer (QuickerWay), each is asked for by their key. Both give the same rows of the people asked
/// for.
class ContactQuery {
public:
    using Positions = std::span<const std::uint32_t>;
    static constexpr std::size_t range_people_min = 16;
    /// Asks for people of any chunks of the system, by their keys; `people` is an array literal.
    [[nodiscard]] static pqxx::result ask_by_key(postgres::Connection& source,
                                                 const JobContext& job, Channel channel,
                                                 const std::string& people);
    /// Rows of a range, at most: beyond that the others are more than those asked for.
    [[nodiscard]] static std::size_t range_rows_max(std::size_t people) { return 2 * people + 16; }

    /// `turn`: another sample each time it is asked whether everybody fails. `may_try`: a way that
    /// may turn out slow.
    ContactQuery(postgres::Connection& source, const JobContext& job, Channel channel,
                 const ledger::ChunkPeople& people, std::int32_t turn, bool may_try);

    /// Asks for `positions`, and takes those out of them who raise errors.
    [[nodiscard]] ContactsRead ask(std::vector<std::uint32_t>& positions, Resolved& resolved);

private:
    static constexpr std::size_t sample_size = 16;
    static constexpr std::size_t timed_people_min =
        64;  // Of fewer most is what each question costs.
    static constexpr int questions_max = 400;

    [[nodiscard]] static pqxx::result ask_people(postgres::Connection& source,
                                                 const ContactWays* ways, const Contact& contact,
                                                 const std::string& people);
    [[nodiscard]] bool may_ask_a_range(Positions positions) const;
    void ask_the_quicker_way(Positions positions, Resolved& resolved);
    [[nodiscard]] bool ask_a_range(Positions positions, Resolved& resolved);
    [[nodiscard]] pqxx::result exec(Positions positions);
    [[nodiscard]] bool everybody_fails(Positions positions);
    [[nodiscard]] bool find_culprits(std::vector<std::uint32_t>& positions, Resolved& resolved);

    postgres::Connection& source_;
    const JobContext& job_;
    Channel channel_;
    const ledger::ChunkPeople& people_;
    std::size_t turn_;
    bool may_try_;
    std::shared_ptr<const ContactWays> ways_;  // Null: asked by what the query itself says.
};

}  // namespace fanfare
