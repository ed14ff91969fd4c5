// suppress: addresses that get nothing more.
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "core/audience/address.hpp"
#include "core/ledger/addresses.hpp"
#include "core/web/text.hpp"
#include "core/wire/csv.hpp"
#include "core/wire/csv_reader.hpp"

#include <fmt/format.h>
#include <pqxx/nontransaction>
#include <pqxx/transaction>

#include <array>
#include <fstream>
#include <iostream>
#include <utility>

namespace fanfare::cli {
namespace {

constexpr std::size_t rows_at_once = 5'000;

struct SuppressOptions {
    std::string channel;
    std::string address;
    std::string reason = "manual";
    int limit = 100;
    std::string file = "-";
};

Channel channel_or_stop(const std::string& word) {
    if (const auto channel = parse_channel(word)) return *channel;
    throw Stop{exit_usage, "a channel is email, sms or push"};
}

int suppress_list(const Globals& globals, const SuppressOptions& options) {
    const int code =
        options.channel.empty() ? -1 : static_cast<int>(channel_or_stop(options.channel));
    Ledger ledger{load_settings_or_stop(globals)};
    const auto records = ledger.run("list suppressions", [&](auto& connection) {
        pqxx::nontransaction work{connection.raw()};
        std::vector<Record> all;
        for (const auto& row : work.exec_params(
                 "SELECT ch.name, s.address, s.reason, s.source, to_char(s.created_at AT TIME "
                 "ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM suppression s "
                 "JOIN channel ch ON ch.code = s.channel WHERE ($1 < 0 OR s.channel = $1) "
                 "AND (s.compared IS NULL OR s.compared IN (s.address, '')) "
                 "ORDER BY s.created_at DESC, s.address LIMIT $2",
                 code, options.limit)) {
            all.push_back({{"channel", std::string{row[0].c_str()}},
                           {"address", std::string{row[1].c_str()}},
                           {"reason", std::string{row[2].c_str()}},
                           {"source", std::string{row[3].c_str()}},
                           {"since", std::string{row[4].c_str()}}});
        }
        return all;
    });
    print(records, globals.json, "nothing is suppressed");
    return exit_ok;
}

/// The form that is sent to.
std::string address_or_stop(Channel channel, std::string_view written) {
    std::string sent;
    const auto fault = read_address(channel, written, sent, Plus::north_american);
    if (fault == AddressFault::none) return sent;
    throw Stop{exit_rejected, fmt::format("the address {}", describe(fault))};
}

int suppress_add(const Globals& globals, const SuppressOptions& options) {
    const auto channel = channel_or_stop(options.channel);
    const ledger::NewSuppression entry{address_or_stop(channel, options.address), options.reason};
    Ledger ledger{load_settings_or_stop(globals)};
    ledger.run("add a suppression", [&](auto& connection) {
        ledger::add_suppressions(connection, channel, {&entry, 1}, "cli");
        return true;
    });
    const auto address = compared_form(channel, entry.address);
    print({{{"channel", options.channel}, {"address", address}, {"suppressed", true}}},
          globals.json, "");
    return exit_ok;
}

int suppress_remove(const Globals& globals, const SuppressOptions& options) {
    const auto channel = channel_or_stop(options.channel);
    Ledger ledger{load_settings_or_stop(globals)};
    std::string sent;
    const auto fault = read_address(channel, options.address, sent, Plus::north_american);
    // What can be no address may have been stored by a program that did not look.
    const auto address =
        fault == AddressFault::none ? compared_form(channel, sent) : options.address;
    const bool removed = ledger.run("remove a suppression", [&](auto& connection) {
        // Rows of older programs first: unread, they would bring it back.
        while (ledger::read_suppressions(connection, 1'000) > 0) {
        }
        pqxx::nontransaction work{connection.raw()};
        return work.exec_params(
                       "DELETE FROM suppression WHERE channel = $1 AND (address IN ($2, $3) "
                       "OR (compared = $2 AND compared <> address))",
                       static_cast<int>(channel), address, options.address)
                   .affected_rows() > 0;
    });
    if (!removed && fault != AddressFault::none) {
        throw Stop{exit_rejected, fmt::format("the address {}", describe(fault))};
    }
    print({{{"channel", options.channel}, {"address", address}, {"removed", removed}}},
          globals.json, "");
    return removed ? exit_ok : exit_differs;
}

/// One line of an import: channel, address and perhaps a reason.
struct Line {
    Channel channel = Channel::email;
    ledger::NewSuppression entry;
};

Line line_or_stop(const std::vector<std::string>& fields, std::size_t number) {
    const auto refuse = [number](const std::string& expected) {
        return Stop{exit_rejected,
                    fmt::format("line {}: {}; nothing was imported", number, expected)};
    };
    if (fields.size() < 2) throw refuse("expected channel,address[,reason]");
    const auto channel = parse_channel(fields[0]);
    if (!channel) throw refuse("a channel is email, sms or push");
    std::string address;
    const auto fault = read_address(*channel, fields[1], address, Plus::north_american);
    if (fault != AddressFault::none) throw refuse(fmt::format("the address {}", describe(fault)));
    const bool has_reason = fields.size() > 2 && !fields[2].empty();
    return {*channel, {std::move(address), has_reason ? fields[2] : "imported"}};
}

/// Writes what has gathered for each channel.
std::size_t flush(pqxx::work& work,
                  std::array<std::vector<ledger::NewSuppression>, channel_count>& waiting) {
    std::size_t added = 0;
    for (const auto channel : channels) {
        auto& entries = waiting[static_cast<std::size_t>(channel)];
        if (!entries.empty()) added += ledger::add_suppressions(work, channel, entries, "import");
        entries.clear();
    }
    return added;
}

int suppress_import(const Globals& globals, const SuppressOptions& options) {
    std::ifstream file;
    if (options.file != "-") file = open_or_stop(options.file);
    std::istream& in = options.file == "-" ? std::cin : file;
    Ledger ledger{load_settings_or_stop(globals)};
    std::size_t lines = 0;
    const auto added = ledger.run("import suppressions", [&](auto& connection) {
        pqxx::work work{connection.raw()};
        std::array<std::vector<ledger::NewSuppression>, channel_count> waiting;
        std::vector<std::string> fields;
        std::size_t written = 0;
        bool is_first = true;
        CsvReader reader{in};
        while (reader.next(fields)) {
            const bool may_be_heading = std::exchange(is_first, false);
            if (may_be_heading && same_word(fields.at(0), "channel")) continue;
            auto line = line_or_stop(fields, reader.line());
            waiting[static_cast<std::size_t>(line.channel)].push_back(std::move(line.entry));
            if (++lines % rows_at_once == 0) {
                written += flush(work, waiting);
                fmt::print(stderr, "\r{} read", grouped(static_cast<std::int64_t>(lines)));
            }
        }
        if (!reader.fault().empty()) {
            throw Stop{exit_rejected, fmt::format("line {}: {}; nothing was imported",
                                                  reader.line(), reader.fault())};
        }
        if (lines == 0) throw Stop{exit_rejected, "no line to import; nothing was imported"};
        written += flush(work, waiting);
        work.commit();
        return written;
    });
    if (lines >= rows_at_once) fmt::print(stderr, "\n");
    print({{{"read", static_cast<std::int64_t>(lines)},
            {"added", static_cast<std::int64_t>(added)},
            {"known_before", static_cast<std::int64_t>(lines - added)}}},
          globals.json, "");
    return exit_ok;
}

int suppress_export(const Globals& globals, const SuppressOptions& options) {
    const int code =
        options.channel.empty() ? -1 : static_cast<int>(channel_or_stop(options.channel));
    Ledger ledger{load_settings_or_stop(globals)};
    fmt::print("channel,address,reason,source,since\n");
    int last_channel = -1;
    std::string last_address;
    while (true) {
        // Page by page along the key: never more in memory than one page.
        const auto rows = ledger.run("export suppressions", [&](auto& connection) {
            pqxx::nontransaction work{connection.raw()};
            return work.exec_params(
                "SELECT s.channel, ch.name, s.address, s.reason, s.source, to_char(s.created_at "
                "AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM suppression s "
                "JOIN channel ch ON ch.code = s.channel "
                "WHERE ($1 < 0 OR s.channel = $1) AND (s.channel, s.address) > ($2, $3) "
                "AND (s.compared IS NULL OR s.compared = s.address) "
                "ORDER BY s.channel, s.address LIMIT $4",
                code, last_channel, last_address, static_cast<int>(rows_at_once));
        });
        std::string text;
        for (const auto& row : rows) {
            for (pqxx::row::size_type i = 1; i <= 5; ++i) {
                append_csv({row[i].c_str(), row[i].size()}, text);
                text.push_back(i == 5 ? '\n' : ',');
            }
            last_channel = row[0].template as<int>();
            last_address.assign(row[2].c_str(), row[2].size());
        }
        fmt::print("{}", text);
        if (rows.size() < static_cast<pqxx::result::size_type>(rows_at_once)) return exit_ok;
    }
}

}  // namespace

void add_suppress(const Command& app, Globals& globals) {
    const auto command = app.command("suppress", "Addresses that get nothing more");
    command.needs_command();
    auto options = std::make_shared<SuppressOptions>();
    const auto list = command.command("list", "The latest first");
    list.option("--channel", options->channel, "email, sms or push");
    list.option("-n,--limit", options->limit, "How many").within(1, 100'000);
    choose(list, globals, [&globals, options] { return suppress_list(globals, *options); });
    const auto add = command.command("add", "Send nothing more to an address");
    add.option("channel", options->channel, "email, sms or push").required();
    add.option("address", options->address, "The address, number or token").required();
    add.option("--reason", options->reason, "Why").shows_default();
    choose(add, globals, [&globals, options] { return suppress_add(globals, *options); });
    const auto remove = command.command("remove", "Allow an address again");
    remove.option("channel", options->channel, "email, sms or push").required();
    remove.option("address", options->address, "The address, number or token").required();
    choose(remove, globals, [&globals, options] { return suppress_remove(globals, *options); });
    const auto import = command.command(
        "import", "Add all of a CSV file: channel,address[,reason]; all lines or none");
    import.option("file", options->file, "The file; - for standard input").shows_default();
    choose(import, globals, [&globals, options] { return suppress_import(globals, *options); });
    const auto all = command.command("export", "All of them as CSV, for import");
    all.option("--channel", options->channel, "email, sms or push");
    choose(all, globals, [&globals, options] { return suppress_export(globals, *options); });
}

}  // namespace fanfare::cli
