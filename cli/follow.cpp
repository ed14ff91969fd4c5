#include "cli/follow.hpp"

#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "core/clock/clock.hpp"
#include "core/domain/uuid.hpp"
#include "core/ledger/pauses.hpp"
#include "core/settings/text_rules.hpp"
#include "core/wire/job.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>

namespace fanfare::cli {
namespace {

constexpr int redraw_ms = 250;
constexpr int line_ms = 1'000;
constexpr int faults_max = 10;  // In a row; then the ledger counts as gone.

using Rates = std::map<std::string, RateEstimate>;

std::vector<std::string> list_jobs(const std::vector<ledger::TakenOver>& replays) {
    std::vector<std::string> names;
    for (const auto& one : replays) names.push_back(one.job);
    return names;
}

/// What holds a job back, a sentence each; none of one that is over.
std::vector<std::string> paused_by(postgres::Connection& connection,
                                   const ledger::JobProgress& job) {
    std::vector<std::string> sentences;
    if (is_over(job.state)) return sentences;
    std::vector<std::string> channels;
    for (const auto& channel : job.channels) channels.push_back(channel.channel);
    const auto all = ledger::list_pauses(connection);
    for (const auto& line :
         ledger::find_pauses(all, job.job, job.system + "/" + job.kind, channels)) {
        sentences.push_back(ledger::to_sentence(line));
    }
    return sentences;
}

/// A job, and what holds it back.
struct Seen {
    ledger::JobProgress job;
    std::vector<std::string> paused;
};
std::optional<Seen> see(postgres::Connection& connection, const std::string& id) {
    auto job = ledger::load_progress(connection, id);
    if (!job) return std::nullopt;
    auto paused = paused_by(connection, *job);
    return Seen{std::move(*job), std::move(paused)};
}

Record to_record(const ledger::JobProgress& job, const ledger::ChannelProgress& channel,
                 std::optional<double> per_second) {
    Record record{{"job", job.job},
                  {"system", job.system},
                  {"kind", job.kind},
                  {"state", job.state},
                  {"channel", channel.channel},
                  {"chunks", channel.chunks},
                  {"chunks_done", channel.chunks_done},
                  {"incomplete", job.incomplete},
                  {"left_out", job.left_out},
                  {"planned", channel.planned}};
    for (std::size_t i = 0; i < outcome_count; ++i) {
        record.emplace_back(std::string{to_string(static_cast<Outcome>(i))}, channel.outcomes[i]);
    }
    if (!job.dropped_at.empty()) record.emplace_back("dropped_at", job.dropped_at);
    if (!job.replay_of.empty()) record.emplace_back("replay_of", job.replay_of);
    if (!job.replays.empty()) record.emplace_back("replayed_by", list_jobs(job.replays));
    if (channel.waits_s) {
        record.emplace_back("waits_s", *channel.waits_s);
    } else if (per_second) {
        record.emplace_back("per_second", *per_second);
        if (const auto left = eta_s(channel.planned - count_settled(channel), per_second)) {
            record.emplace_back("eta_s", *left);
        }
    }
    return record;
}

std::string_view describe_planning(const ledger::JobProgress& job) {
    if (job.incomplete) return " (incomplete: planning was given up, nobody else is told)";
    return job.planned || is_over(job.state) ? "" : " (still planning)";
}

/// A job as lines of text; as JSON, one line a channel.
std::string to_text(const Seen& seen, const Rates& rates, bool json) {
    const auto& job = seen.job;
    const auto find_rate = [&rates](const std::string& channel) {
        const auto found = rates.find(channel);
        return found == rates.end() ? std::nullopt : found->second.per_second();
    };
    std::string text;
    if (json) {
        for (const auto& channel : job.channels) {
            auto record = to_record(job, channel, find_rate(channel.channel));
            record.emplace_back("paused", seen.paused);
            text += to_json(record) + "\n";
        }
        if (job.channels.empty()) {
            text = to_json({{"job", job.job},
                            {"system", job.system},
                            {"kind", job.kind},
                            {"state", job.state},
                            {"incomplete", job.incomplete},
                            {"left_out", job.left_out},
                            {"paused", seen.paused},
                            {"dropped_at", job.dropped_at},
                            {"failure", job.failure}}) +
                   "\n";
        }
        return text;
    }
    text = fmt::format("{}  {}/{}  {}{}  {}\n", job.job, job.system, job.kind, job.state,
                       describe_planning(job), format_duration(job.took_s));
    if (!job.failure.empty()) text += fmt::format("  why: {}\n", printable(job.failure));
    if (!job.dropped_at.empty()) {
        text += fmt::format("  its people are no longer kept, since {}\n", job.dropped_at);
    }
    for (const auto& sentence : seen.paused) {
        text += fmt::format("  paused: {}\n", printable(sentence));
    }
    if (job.left_out > 0) {
        text += fmt::format("  left out: {}, whose recipient ids have more than {} bytes\n",
                            grouped(job.left_out), Job::id_bytes_max);
    }
    if (!job.replay_of.empty()) text += fmt::format("  replays: {}\n", job.replay_of);
    for (const auto& one : job.replays) {
        text += fmt::format("  {} replayed by {}\n", grouped(one.people), one.job);
    }
    for (const auto& channel : job.channels) {
        text += "  " + channel_line(channel, find_rate(channel.channel), is_over(job.state)) + "\n";
    }
    return text;
}

/// Replaces what was drawn before, on a terminal; just prints elsewhere.
class Screen {
public:
    explicit Screen(bool live) : live_{live} {}
    [[nodiscard]] bool live() const noexcept { return live_; }

    void draw(const std::string& text) {
        if (live_ && lines_ > 0) fmt::print("\x1b[{}A\x1b[J", lines_);
        fmt::print("{}", text);
        std::fflush(stdout);
        lines_ = std::count(text.begin(), text.end(), '\n');
    }

private:
    bool live_;
    std::ptrdiff_t lines_ = 0;
};

void let_pass(int milliseconds) { ::poll(nullptr, 0, milliseconds); }

Stop unknown_job(const std::string& job) {
    return {exit_rejected,
            fmt::format("no job {} in the ledger; was it refused? Look at: fanfare dead list. "
                        "Is a worker running?",
                        job)};
}

}  // namespace

std::string because_or_stop(const std::string& text) {
    const auto rule = plain_text(1, because_bytes_max);
    if (rule.accepts(text)) return text;
    throw Stop{exit_usage, "--because is not valid", "give " + rule.bounds};
}

Stop no_longer_kept(const std::string& job) {
    return {exit_rejected,
            fmt::format("what became of the people of job {} is no longer kept: it is older than "
                        "database.keep_days",
                        job)};
}

std::string job_id_or_stop(const std::string& text) {
    if (auto id = parse_uuid(text)) return std::move(*id);
    throw Stop{exit_usage, "a job is named by its uuid, as fanfare publish printed it"};
}

int show(Ledger& ledger, const std::string& job, bool json) {
    const auto seen = ledger.run("read the progress of a job",
                                 [&](auto& connection) { return see(connection, job); });
    if (!seen) throw unknown_job(job);
    fmt::print("{}", to_text(*seen, {}, json));
    return seen->job.state == "failed" ? exit_differs : exit_ok;
}

int follow(Ledger& ledger, const std::string& job, const FollowOptions& options) {
    Screen screen{!options.json && ::isatty(STDOUT_FILENO) == 1};
    Rates rates;
    const auto begun = system_clock().steady_now();
    int faults = 0;
    while (true) {
        const auto progress = ledger.attempt(
            "read the progress of a job", [&](auto& connection) { return see(connection, job); });
        const auto elapsed = system_clock().steady_now() - begun;
        if (!progress) {
            const bool may_pass = is_retryable(progress.error().code);
            if (!may_pass || ++faults >= faults_max) throw stop_for(progress.error());
        } else if (progress.value()) {
            faults = 0;
            const auto& now = progress.value()->job;
            for (const auto& channel : now.channels) {
                rates[channel.channel].sample(std::chrono::duration<double>(elapsed).count(),
                                              count_settled(channel));
            }
            screen.draw(to_text(*progress.value(), rates, options.json));
            if (is_over(now.state)) return now.state == "failed" ? exit_differs : exit_ok;
        } else if (!options.wait_until_known) {
            throw unknown_job(job);
        }
        if (options.timeout && elapsed >= *options.timeout) {
            throw Stop{exit_timeout, fmt::format("job {} is not done after {} s; go on watching "
                                                 "with: fanfare status {} --follow",
                                                 job, options.timeout->count(), job)};
        }
        let_pass(screen.live() ? redraw_ms : line_ms);
    }
}

}  // namespace fanfare::cli
