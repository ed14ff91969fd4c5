#include "cli/command.hpp"
#include "cli/follow.hpp"
#include "cli/job_flags.hpp"
#include "cli/output.hpp"
#include "core/clock/clock.hpp"
#include "core/kafka/producer.hpp"
#include "core/orders/order_rules.hpp"
#include "core/rendering/templates.hpp"
#include "core/wire/job.hpp"
#include "core/wire/timestamp.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <sstream>

namespace fanfare::cli {
namespace {

constexpr std::size_t raw_bytes_max = 8'000'000;

struct PublishOptions {
    JobFlags flags;
    std::string file;
    bool no_check = false;
    bool wait = false;
    bool dry_run = false;
    int timeout_s = 30;
};

std::string contents(std::istream& stream, const std::string& name) {
    std::string bytes{std::istreambuf_iterator<char>{stream}, {}};
    if (bytes.size() > raw_bytes_max) {
        throw Stop{exit_rejected, fmt::format("{} has more than {} bytes", name, raw_bytes_max)};
    }
    return bytes;
}

std::string contents(const std::string& file) {
    if (file == "-") return contents(std::cin, "standard input");
    auto stream = open_or_stop(file);
    return contents(stream, file);
}

/// A key for a job that was given none: every call is a job of its own.
std::string fresh_job_key() {
    std::random_device device;
    return fmt::format("cli-{}-{:08x}", format_timestamp(system_clock().now()), device());
}

/// Reads the file that --recipients names, if it names one.
void take_recipients(JobFlags& flags) {
    std::error_code ignored;
    if (!flags.recipients) return;
    const auto name = *flags.recipients;
    const bool is_there = name == "-" || std::filesystem::exists(name, ignored);
    if (!is_there && lists_ids(name)) return;
    if (!is_there) {
        throw Stop{exit_no_input, fmt::format("{} cannot be read; if it is a person's id, write "
                                              "--recipient instead of --recipients",
                                              name)};
    }
    std::istringstream text{contents(name)};
    auto ids = read_recipients(text);
    if (const auto* const fault = std::get_if<FlagFault>(&ids)) {
        throw Stop{exit_rejected, fmt::format("{}: {}", name, fault->sentence)};
    }
    flags.recipient_ids = std::get<std::vector<std::string>>(std::move(ids));
    flags.recipients.reset();
}

std::string compose_message(PublishOptions options) {
    if (!options.file.empty()) return contents(options.file);
    if (!options.flags.system && !options.flags.kind) {
        throw Stop{exit_usage,
                   "say what to publish: --system and --kind, or --file; "
                   "see fanfare publish --help"};
    }
    auto& flags = options.flags;
    if (!flags.key) flags.key = fresh_job_key();
    take_recipients(flags);
    auto message = job_message(flags);
    if (const auto* const fault = std::get_if<FlagFault>(&message)) {
        throw Stop{exit_usage, fault->sentence};
    }
    return std::get<std::string>(message);
}

[[noreturn]] void refuse(const Globals& globals, const Rejection& rejection) {
    if (globals.json) {
        print({{{"accepted", false}, {"code", rejection.code}, {"message", rejection.message}}},
              true, "");
    }
    throw Stop{exit_rejected, fmt::format("rejected: {}", for_terminal(rejection))};
}

/// What the system's database knows of it; nothing where it does not answer: workers ask again.
std::optional<Rejection> look(const Settings& settings, const Telling& telling) {
    const auto& url =
        telling.system.database.empty() ? settings.database.url : telling.system.database;
    const postgres::Limits limits{.statement_timeout = telling.system.statement_timeout,
                                  .read_only = true};
    try {
        postgres::Connection source{url, limits};
        return check_order(source, telling);
    } catch (const std::exception& fault) {
        const auto failure = postgres::to_failure(fault, false, "check it on its database");
        print_error(fmt::format("not all is checked: {}", to_sentence(failure)));
        return std::nullopt;
    }
}

/// What a worker would say: the same functions in the same order.
Job checked(const Globals& globals, const Settings& settings, const std::string& message) {
    auto decoded = decode_job(message);
    if (const auto* const rejection = std::get_if<Rejection>(&decoded)) {
        refuse(globals, *rejection);
    }
    auto job = std::get<Job>(decoded);
    const auto systems = load_systems_or_stop(settings);
    const auto templates = load_templates_or_stop(settings);
    if (const auto rejection = settle_order(job, systems, templates)) refuse(globals, *rejection);
    const auto& system = systems.at(job.system);
    const bool has_links = !settings.callback_url.empty() && !settings.link_key.empty();
    const Telling telling{job,       system,    *system.find_kind(job.kind),
                          templates, has_links, system_clock().now()};
    if (const auto rejection = look(settings, telling)) refuse(globals, *rejection);
    return job;
}

int publish(const Globals& globals, const PublishOptions& options) {
    const auto settings = load_settings_or_stop(globals);
    const auto message = compose_message(options);
    std::string job;
    if (!options.no_check) job = checked(globals, settings, message).id;
    if (options.dry_run) {
        fmt::print("{}\n", printable_json(message));
        return exit_ok;
    }
    if (settings.kafka.brokers == "embedded") {
        throw Stop{exit_config,
                   "kafka.brokers is embedded: that broker lives in another process; "
                   "set FANFARE_KAFKA_BROKERS to the address in its "
                   "kafka.embedded_address_file"};
    }
    const auto producer = value_or_stop(kafka::Producer::open(settings.kafka));
    const auto topics = kafka::list_topics(settings.kafka);
    value_or_stop(producer->publish_and_wait({topics.jobs, job, message, {}},
                                             std::chrono::seconds{options.timeout_s}));
    if (!options.wait) {
        print({{{"job", job},
                {"bytes", static_cast<std::int64_t>(message.size())},
                {"topic", topics.jobs}}},
              globals.json, "");
        return exit_ok;
    }
    if (job.empty()) return exit_ok;
    Ledger ledger{settings};
    return follow(ledger, job,
                  {.json = globals.json,
                   .timeout = std::chrono::seconds{options.timeout_s},
                   .wait_until_known = true});
}

void add_job_flags(const Command& command, JobFlags& flags) {
    command.option("--system", flags.system, "Folder below systems_dir");
    command.option("--kind", flags.kind, "Kind of notification, such as show.reminder");
    command.option("--audience", flags.audience, "An audience of the system; default: the kind's");
    command.option("--param", flags.params, "Parameter of the audience: name=value; repeatable")
        .repeats();
    command.option("--recipients", flags.recipients,
                   "Instead of an audience: a CSV file of ids, or ids (a,b,c)");
    command.option("--recipient", flags.recipient, "One id instead; repeatable").repeats();
    command.option("--subject", flags.subject, "What it is about: the show's id, say");
    command.option("--channel", flags.channels, "email, sms, push; default: the kind's").repeats();
    command.option("--lane", flags.lane, "urgent, normal, bulk; default: the kind's");
    command.option("--data", flags.data, "Variable of the templates: name=value; repeatable")
        .repeats();
    command.option("--key", flags.key,
                   "Idempotency key: the same key is the same job; default: a fresh one");
    const auto expires = command.option("--expires-at", flags.expires_at,
                                        "Nobody is told later: 2026-11-20T19:30:00Z");
    command.option("--ttl-s", flags.ttl_s, "The same in seconds from acceptance on")
        .within(1, 31'536'000)
        .excludes(expires);
}

}  // namespace

void add_publish(const Command& app, Globals& globals) {
    const auto command = app.command("publish", "Order a notification");
    auto options = std::make_shared<PublishOptions>();
    add_job_flags(command, options->flags);
    const auto flags = command.flags();
    auto file =
        command.option("--file,file", options->file, "A job as JSON instead; - for standard input");
    // Beside a file none of them would count: whoever writes one means it.
    for (const auto& flag : flags) file.excludes(flag);
    command.flag("--no-check", options->no_check,
                 "Publish the bytes as they are; a worker then judges them");
    command.flag("--dry-run", options->dry_run, "Check and print the job, publish nothing");
    command.flag("-w,--wait", options->wait, "Follow the job until it is over");
    command.option("--timeout", options->timeout_s, "Seconds for the broker, and for --wait")
        .within(1, 1'000'000)
        .shows_default();
    choose(command, globals, [&globals, options] { return publish(globals, *options); });
}

}  // namespace fanfare::cli
