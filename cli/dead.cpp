// dead: what was published and refused, and what becomes of it.
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "core/kafka/client.hpp"
#include "core/kafka/dead_letters.hpp"
#include "core/ledger/dead_letters.hpp"
#include "core/orders/order_rules.hpp"
#include "core/wire/job_rejection.hpp"
#include "core/wire/timestamp.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <iterator>
#include <map>

namespace fanfare::cli {
namespace {

constexpr std::size_t name_length = 12;  // Of a digest: enough to tell letters apart.
constexpr std::size_t name_length_min = 4;
constexpr std::chrono::seconds publish_max{30};
using kafka::DeadLetter;
using Fates = std::map<std::string, ledger::LetterFate>;

struct ListOptions {
    int limit = 50;
    int follow_ms = 0;
    bool all = false;
    std::string cursor;
};

struct LetterOptions {
    std::string name;
    bool raw = false;
    std::string edit;
};

std::string format_time(const DeadLetter& letter) {
    return format_timestamp(TimePoint{std::chrono::milliseconds{letter.timestamp_ms}});
}

Record to_record(const DeadLetter& letter, const std::string& fate) {
    return {{"letter", letter.digest.substr(0, name_length)},
            {"time", format_time(letter)},
            {"key", letter.key},
            {"bytes", letter.bytes},
            {"from", letter.from},
            {"partition", std::int64_t{letter.partition}},
            {"offset", letter.offset},
            {"fate", fate},
            {"reason", letter.reason},
            {"message", letter.message}};
}

/// What has become of them; where the ledger is away they are listed all the same.
Fates fates_or_none(const Settings& settings) {
    Ledger ledger{settings};
    auto known = ledger.attempt("look up dead letters",
                                [](auto& connection) { return ledger::letter_fates(connection); });
    if (known) return std::move(known.value());
    print_error(
        fmt::format("which were requeued or dropped is not known: {}", to_sentence(known.error())));
    return {};
}

int list(const Globals& globals, const ListOptions& options) {
    const auto settings = load_settings_or_stop(globals);
    const auto from =
        options.cursor.empty() ? kafka::DeadPlace{} : kafka::parse_dead_place(options.cursor);
    if (!from) throw Stop{exit_usage, "--cursor: not what an earlier `dead list` gave"};
    const auto fates = fates_or_none(settings);
    const auto wanted = [&](const DeadLetter& letter) {
        return options.all || !fates.contains(letter.digest);
    };
    const auto page = value_or_stop(kafka::read_dead_page(
        settings.kafka, system_clock(), std::chrono::milliseconds{options.follow_ms}, *from,
        static_cast<std::size_t>(options.limit), wanted));
    std::vector<Record> records;
    for (const auto& letter : page.letters) {
        const auto known = fates.find(letter.digest);
        records.push_back(to_record(letter, known == fates.end() ? "" : known->second.fate));
    }
    print(records, globals.json, "no dead letters");
    if (page.next) fmt::print(stderr, "more: --cursor {}\n", kafka::to_text(*page.next));
    return exit_ok;
}

/// The one whose name begins so; ends the command where there is none, or are several.
DeadLetter find_or_stop(const Settings& settings, const std::string& name) {
    if (name.size() < name_length_min) {
        throw Stop{exit_usage, fmt::format("{}: too short to name a letter", name),
                   "as `fanfare dead list` shows them"};
    }
    auto found = value_or_stop(kafka::find_dead_letters(settings.kafka, system_clock(), name));
    if (found.empty()) {
        throw Stop{exit_rejected, fmt::format("no dead letter {}", name),
                   "see: fanfare dead list --all"};
    }
    if (found.size() > 1) {
        throw Stop{exit_rejected, fmt::format("{} names several letters", name)};
    }
    return std::move(found.front());
}

int show(const Globals& globals, const LetterOptions& options) {
    const auto settings = load_settings_or_stop(globals);
    const auto letter = find_or_stop(settings, options.name);
    if (options.raw) {
        std::fwrite(letter.payload.data(), 1, letter.payload.size(), stdout);
        return exit_ok;
    }
    const auto fates = fates_or_none(settings);
    const auto known = fates.find(letter.digest);
    const bool open = known == fates.end();
    auto record = to_record(letter, open ? "" : known->second.fate);
    record.front() = {"letter", letter.digest};
    record.emplace_back("fate_at", open ? "" : known->second.at);
    record.emplace_back("fate_by", open ? "" : known->second.who);
    record.emplace_back("payload_is_whole", !letter.is_cut());
    record.emplace_back("payload", letter.payload);
    if (globals.json) {
        print({record}, true, "");
        return exit_ok;
    }
    for (const auto& line : record) {
        if (line.first == "payload") continue;
        fmt::print("{:17} {}\n", line.first, to_text(line.second));
    }
    fmt::print("\n{}\n", printable_lines(letter.payload));
    return exit_ok;
}

std::string mended(const std::string& file) {
    auto stream = open_or_stop(file);
    return {std::istreambuf_iterator<char>{stream}, {}};
}

/// A payload that no worker would take is another letter at once, and this one is sealed.
void check_or_stop(const Settings& settings, const DeadLetter& letter, const std::string& payload) {
    const auto judged = settle_record(letter.event_headers, payload, load_systems_or_stop(settings),
                                      load_templates_or_stop(settings));
    const auto* const rejection = std::get_if<Rejection>(&judged);
    if (rejection == nullptr) return;
    throw Stop{
        exit_rejected,
        fmt::format("the mended payload would be refused again: {}", for_terminal(*rejection)),
        "nothing was done; mend the file once more"};
}

/// Seals a letter's fate once for all.
void seal_or_stop(const Settings& settings, const DeadLetter& letter, std::string_view fate,
                  const std::function<void()>& act) {
    Ledger ledger{settings};
    const auto before = ledger.run("seal a dead letter", [&](auto& connection) {
        return ledger::seal_letter(connection, letter.digest, fate, somebody(), act);
    });
    if (!before) return;
    throw Stop{exit_rejected, fmt::format("the letter was {} at {} by {}: nothing is done again",
                                          before->fate, before->at, before->who)};
}

int requeue(const Globals& globals, const LetterOptions& options) {
    const auto settings = load_settings_or_stop(globals);
    const auto letter = find_or_stop(settings, options.name);
    const auto payload = options.edit.empty() ? letter.payload : mended(options.edit);
    if (options.edit.empty() && letter.is_cut()) {
        throw Stop{exit_rejected, "the letter holds only the beginning of what was published",
                   "give the whole with --edit FILE"};
    }
    if (!options.edit.empty()) check_or_stop(settings, letter, payload);
    seal_or_stop(settings, letter, "requeued", [&] {
        value_or_stop(kafka::publish_again(settings.kafka, letter, payload, publish_max));
    });
    print({{{"letter", letter.digest.substr(0, name_length)},
            {"fate", std::string{"requeued"}},
            {"bytes", static_cast<std::int64_t>(payload.size())},
            {"topic", kafka::list_topics(settings.kafka).jobs}}},
          globals.json, "");
    return exit_ok;
}

int drop(const Globals& globals, const LetterOptions& options) {
    const auto settings = load_settings_or_stop(globals);
    const auto letter = find_or_stop(settings, options.name);
    seal_or_stop(settings, letter, "dropped", [] {});
    print({{{"letter", letter.digest.substr(0, name_length)}, {"fate", std::string{"dropped"}}}},
          globals.json, "");
    return exit_ok;
}

using Action = int (*)(const Globals&, const LetterOptions&);
Command add_verb(const Command& group, Globals& globals, const std::string& name,
                 const std::string& about, Action action,
                 const std::shared_ptr<LetterOptions>& options) {
    const auto command = group.command(name, about);
    command.option("letter", options->name, "Its name, or how it begins").required();
    choose(command, globals, [&globals, options, action] { return action(globals, *options); });
    return command;
}

}  // namespace

void add_dead(const Command& app, Globals& globals) {
    const auto command = app.command("dead", "Dead letters: what was published and refused");
    command.needs_command();
    const auto all = command.command("list", "What, why, and how to mend it");
    auto options = std::make_shared<ListOptions>();
    all.option("-n,--limit", options->limit, "How many").within(1, 1'000'000).shows_default();
    all.option("--follow-ms", options->follow_ms, "Wait for new ones so long")
        .within(0, 86'400'000);
    all.flag("--all", options->all, "Also those that were requeued or dropped");
    all.option("--cursor", options->cursor, "Go on where an earlier list ended: it says so");
    choose(all, globals, [&globals, options] { return list(globals, *options); });
    auto letter = std::make_shared<LetterOptions>();
    add_verb(command, globals, "show", "One letter, its payload whole", show, letter)
        .flag("--raw", letter->raw, "Only the payload, byte for byte: into a file, to mend it");
    letter = std::make_shared<LetterOptions>();
    add_verb(command, globals, "requeue", "Publish it once more, once for all", requeue, letter)
        .option("--edit", letter->edit, "A file with the mended payload");
    letter = std::make_shared<LetterOptions>();
    add_verb(command, globals, "drop", "Nothing is to be done about it", drop, letter);
}

}  // namespace fanfare::cli
