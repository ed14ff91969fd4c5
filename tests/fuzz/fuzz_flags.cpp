// Whatever is typed: a job of flags, a list of ids, a file of them, and words behind the program's
// name are taken or refused in a sentence. The first byte chooses; lines are arguments.
#include "cli/candidates.hpp"
#include "cli/given.hpp"
#include "cli/job_flags.hpp"
#include "cli/known_words.hpp"
#include "core/domain/utf8.hpp"
#include "core/error/failure.hpp"
#include "core/wire/job.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace fanfare;

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

/// Of each line the first letter says which flag the rest belongs to.
cli::JobFlags read_flags(const std::vector<std::string>& lines) {
    cli::JobFlags flags;
    for (const auto& line : lines) {
        if (line.empty()) continue;
        const auto value = line.substr(1);
        switch (line[0]) {
            case 's':
                flags.system = value;
                break;
            case 'k':
                flags.kind = value;
                break;
            case 'u':
                flags.subject = value;
                break;
            case 'a':
                flags.audience = value;
                break;
            case 'p':
                flags.params.push_back(value);
                break;
            case 'R':
                flags.recipients = value;
                break;
            case 'r':
                flags.recipient.push_back(value);
                break;
            case 'f':
                flags.recipient_ids.push_back(value);
                break;
            case 'c':
                flags.channels.push_back(value);
                break;
            case 'l':
                flags.lane = value;
                break;
            case 'd':
                flags.data.push_back(value);
                break;
            case 'K':
                flags.key = value;
                break;
            case 'e':
                flags.expires_at = value;
                break;
            default:
                flags.ttl_s = line[0];
        }
    }
    return flags;
}

void try_job(const std::string& text) {
    const auto message = cli::job_message(read_flags(lines_of(text)));
    if (const auto* const fault = std::get_if<cli::FlagFault>(&message)) {
        ensure(!fault->sentence.empty(), "a refusal says why");
        return;
    }
    const auto job = decode_job(std::get<std::string>(message));
    if (const auto* const rejection = std::get_if<Rejection>(&job)) {
        // Other bytes are refused before: unreadable_option().
        ensure(rejection->code != "not_json" || !is_utf8(text), "flags make JSON");
    }
}

void try_people(const std::string& text) {
    for (const auto& id : cli::split_list(text)) {
        ensure(!id.empty() && id.find_first_of(",\r\n") == std::string::npos, "an id is one");
    }
    static_cast<void>(cli::lists_ids(text));
    std::istringstream file{text};
    const auto read = cli::read_recipients(file);
    if (const auto* const fault = std::get_if<cli::FlagFault>(&read)) {
        ensure(!fault->sentence.empty(), "a refusal says why");
        return;
    }
    for (const auto& id : std::get<std::vector<std::string>>(read)) {
        ensure(!id.empty() && id.find_first_of("\r\n") == std::string::npos, "an id is one");
    }
}

void try_words(const std::string& text) {
    CLI::App app{"fuzz", "fuzz"};
    app.fallthrough();  // As main() has it. Without it CLI11 2.1 reads "pause '' -A-f" for ever.
    app.require_subcommand(1);
    std::vector<std::string> texts;
    bool flag = false;
    app.add_option("-c,--config", texts, "Settings");
    auto* const publish = app.add_subcommand("publish", "Order");
    publish->add_option("--channel", texts, "Channels")->delimiter(',');
    publish->add_option("--lane", texts, "Lane");
    publish->add_flag("--wait", flag, "Follow");
    auto* const pause = app.add_subcommand("pause", "Hold back");
    pause->add_option_group("what", "One of these")->add_option("--job", texts, "A job");
    app.add_subcommand("asked", "By scripts")->group("");
    auto words = lines_of(text);
    for (const auto& each : cli::candidates(app, words)) {
        ensure(!each.word.empty(), "what is offered is a word");
    }
    const auto last = words.empty() ? std::string{} : words.back();
    const auto advice = cli::unknown_command("db", last, {"migrate", "status"});
    ensure(advice.find('\n') == std::string::npos, "advice is one line");
    static_cast<void>(cli::unknown_command("", last, {"publish", "pause"}));
    std::reverse(words.begin(), words.end());
    try {
        app.parse(words);
    } catch (const CLI::Error&) {
        return;
    }
    static_cast<void>(cli::empty_option(app));
    static_cast<void>(cli::unreadable_option(app));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) return 0;
    const std::string text{reinterpret_cast<const char*>(bytes + 1), size - 1};
    constexpr std::array tries{try_job, try_people, try_words};
    tries[bytes[0] % tries.size()](text);
    return 0;
}
