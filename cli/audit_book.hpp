#pragma once

#include "core/domain/vocabulary.hpp"
#include "core/ledger/deliveries.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

/// What a ledger says of a job beside what a provider's log says of it: who is lost, doubled,
/// falsely sent or unexpected (docs/reliability.md, "Audit a job").
namespace fanfare::cli {

/// The four sets that must be empty, then what is told beside them and is no fault.
enum class AuditSet : std::uint8_t {
    lost,              // Planned, and without a final outcome though the job is over.
    doubled,           // Told more often than once, where the channel's on_doubt forbids it.
    falsely_sent,      // Told as the ledger says; the log does not know it.
    unexpected,        // Told as the log says; the ledger denies it, or has no such person.
    told_again,        // More often than once: `resend` allows it, or it may be several devices.
    unknown_told,      // In doubt in the ledger; the log says that they were told.
    unknown_not_told,  // In doubt in the ledger; the log knows nothing of them.
    under_way,         // The log is ahead of the ledger; the job is not over.
    refused_later,     // The log has it, a receipt or an answer made it refused: a bounce.
};
inline constexpr std::size_t audit_set_count = 9;
inline constexpr std::size_t audit_fault_count = 4;
[[nodiscard]] std::string_view to_string(AuditSet finding) noexcept;

/// One person of the job on one channel, or a stranger.
struct AuditedPerson {
    Channel channel = Channel::email;
    Outcome outcome = Outcome::pending;
    Reason reason = Reason::none;
    bool may_repeat = false;   // on_doubt is `resend`.
    bool is_expected = true;   // False: another account served the chunk last.
    bool has_devices = false;  // The log tells devices apart.
    bool is_stranger = false;  // In no chunk of the job.
    bool is_superseded = false;
    std::int32_t chunk = 0;
    std::uint32_t position = 0;
    std::uint32_t told = 0;     // Messages of the log.
    std::uint32_t repeats = 0;  // Of these, beyond the first one, or the first to each device.
    std::string recipient;
};

/// In which sets one person belongs, a bit for each AuditSet. `over`: nothing of the job is to
/// come any more. Pure.
[[nodiscard]] std::uint32_t judge(const AuditedPerson& person, bool over);
[[nodiscard]] constexpr std::uint32_t bit(AuditSet finding) {
    return 1U << static_cast<unsigned>(finding);
}

/// Everybody of one job. First add() of all, then note_...() of each accepted message of the log,
/// then close().
///
/// Bounds    Everybody of the job in memory, some 350 bytes each with ids of 36 characters, and 16
///           more for each message of a log that tells devices apart; `strangers_max` strangers
///           by name.
/// Threads   one.
class AuditBook {
public:
    static constexpr std::size_t strangers_max = 100'000;

    AuditBook() = default;
    AuditBook(const AuditBook&) = delete;
    AuditBook& operator=(const AuditBook&) = delete;

    /// In the order of read_deliveries(). `account`: the one whose log it is; "": of all.
    void add(ledger::Delivery delivery, std::string_view account);

    /// One message to whom the log names. False, and nothing noted, where the job has nobody so.
    /// `device` tells the devices of one person apart; "": the log does not.
    bool note_recipient(Channel channel, std::string_view recipient, std::string_view device);
    bool note_place(Channel channel, std::uint32_t chunk, std::uint32_t position,
                    std::string_view device);
    /// By the provider's id, which may be of a request for many: those are told, by however many
    /// messages.
    bool note_message_id(std::string_view id, std::string_view device);
    void note_stranger(Channel channel, std::string_view who);

    /// After the last message. Noting is over.
    void close();

    [[nodiscard]] const std::deque<AuditedPerson>& people() const noexcept { return people_; }
    /// Messages to strangers beyond those that are named.
    [[nodiscard]] std::uint64_t more_strangers() const noexcept { return more_strangers_; }
    /// People who share the provider's id with others.
    [[nodiscard]] std::uint64_t shared() const noexcept { return shared_; }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };
    using ByName = std::unordered_map<std::string_view, std::uint32_t>;
    struct Request {
        std::vector<std::uint32_t> people;
        std::uint64_t messages = 0;
    };

    void note(std::uint32_t index, std::string_view device);

    std::deque<AuditedPerson> people_;  // Who is in it stays where they are: keys point there.
    std::array<ByName, channel_count> by_recipient_;
    std::array<ByName, channel_count> strangers_;
    std::unordered_map<std::uint64_t, std::uint32_t> first_of_chunk_;  // channel << 32 | number
    std::unordered_map<std::string, Request, Hash, std::equal_to<>> by_id_;
    std::unordered_set<std::uint64_t> devices_;
    std::size_t stranger_count_ = 0;
    std::uint64_t more_strangers_ = 0;
    std::uint64_t shared_ = 0;
};

/// How many are in each set, the first few of each, and what is told in all.
struct AuditSums {
    static constexpr std::size_t shown_max = 5;
    std::array<std::uint64_t, audit_set_count> people{};
    std::array<std::vector<std::string>, audit_set_count> first;  // "email u1"
    std::uint64_t planned = 0;
    std::uint64_t told = 0;  // Of them, by the log.
    [[nodiscard]] std::uint64_t faults() const;
    [[nodiscard]] std::uint64_t of(AuditSet finding) const {
        return people[static_cast<std::size_t>(finding)];
    }
};
[[nodiscard]] AuditSums sum_up(const AuditBook& book, bool over);

}  // namespace fanfare::cli
