// Any bytes are a log of a provider or a fault with its line: each row is counted once, and nobody
// is told more often than there are rows.
#include "cli/audit_log.hpp"
#include "core/error/failure.hpp"

#include <array>
#include <cstdint>
#include <sstream>
#include <string>

namespace {

const std::string job = "0198b6c4-7d1e-7c52-9a6b-3f6f4a1e2d3c";

fanfare::ledger::Delivery delivery(fanfare::Channel channel, std::uint32_t position) {
    fanfare::ledger::Delivery made;
    made.channel = channel;
    made.outcome = fanfare::Outcome::sent;
    made.recipient = "u" + std::to_string(position);
    made.provider_id = "id" + std::to_string(position / 2);
    made.chunk = 7;
    made.position = position;
    return made;
}

/// As `fanfare audit` reads a log: of a job's one channel, without a key; with the key that its
/// references were made with; and with words that a row must have to count.
std::array<fanfare::cli::LogRules, 3> make_rules() {
    static const fanfare::References keyless{fanfare::Secret{}};
    static const fanfare::References keyed{
        fanfare::Secret{"a link key of at least 32 bytes, for fuzzing"}};
    std::array<fanfare::cli::LogRules, 3> all;
    for (auto& rules : all) {
        rules.job = job;
        rules.references = &keyless;
    }
    auto& [usual, proven, accepted] = all;
    usual.usual = fanfare::Channel::sms;
    proven.references = &keyed;
    proven.channel = fanfare::Channel::email;
    accepted.accepted = {"sent", "delivered"};
    return all;
}

void try_log(const std::string& log, const fanfare::cli::LogRules& rules) {
    using namespace fanfare;
    cli::AuditBook book;
    for (const auto channel : channels) {
        for (std::uint32_t i = 0; i < 3; ++i) book.add(delivery(channel, i), "");
    }
    std::istringstream in{log};
    cli::LogCounts counts;
    const auto problem = cli::AuditLog{in, rules}.read(book, counts);
    book.close();
    const auto counted = counts.of_job + counts.others + counts.uncounted + counts.unproven;
    // The row at fault is none of them.
    ensure(counted == counts.rows || (!problem.empty() && counted + 1 == counts.rows),
           "each row is counted once");
    for (const auto& person : book.people()) {
        ensure(person.told <= counts.of_job, "nobody is told more often than rows are of the job");
        ensure(person.repeats == 0 || person.repeats < person.told, "the first one is no repeat");
        ensure(cli::judge(person, true) < 1U << cli::audit_set_count, "a set has a name");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    static const auto all = make_rules();
    const std::string log{reinterpret_cast<const char*>(bytes), size};
    for (const auto& rules : all) try_log(log, rules);
    return 0;
}
