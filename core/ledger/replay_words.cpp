#include "core/ledger/replay_words.hpp"

#include "core/domain/uuid.hpp"
#include "core/wire/timestamp.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <array>

namespace fanfare::ledger {
namespace {

namespace json = boost::json;

constexpr std::array replayable{Outcome::failed, Outcome::refused, Outcome::expired,
                                Outcome::unknown};

std::optional<Outcome> replayable_outcome(std::string_view word) {
    const auto outcome = parse_outcome(word);
    const bool may =
        outcome && std::find(replayable.begin(), replayable.end(), *outcome) != replayable.end();
    return may ? outcome : std::nullopt;
}

std::optional<Reason> parse_reason(std::string_view word) {
    for (std::size_t i = 0; i < reason_count; ++i) {
        if (to_string(static_cast<Reason>(i)) == word) return static_cast<Reason>(i);
    }
    return std::nullopt;
}

std::vector<std::string_view> known_reasons() {
    std::vector<std::string_view> words;
    for (std::size_t i = 0; i < reason_count; ++i) {
        words.push_back(to_string(static_cast<Reason>(i)));
    }
    return words;
}

/// Reads words one after the other; the first fault stands.
class Reader {
public:
    explicit Reader(const ReplayWords& words) : words_{words} {}

    std::variant<ReplayFilter, WordFault> read() {
        for (const auto& word : words_.jobs) {
            auto job = parse_uuid(word);
            if (!job) refuse("jobs", word, "uuids: a job is named by one");
            filter_.jobs.push_back(job.value_or(""));
        }
        filter_.system = words_.system;
        filter_.kind = words_.kind;
        filter_.subject = words_.subject;
        filter_.account = words_.account;
        if (!words_.channel.empty()) {
            filter_.channel = parse_channel(words_.channel);
            if (!filter_.channel) refuse("channel", words_.channel, "email, sms or push");
        }
        read_outcomes();
        for (const auto& word : words_.reasons) {
            const auto reason = parse_reason(word);
            if (!reason)
                refuse("reasons", word, fmt::format("one of {}", fmt::join(known_reasons(), ", ")));
            if (reason) filter_.reasons.push_back(*reason);
        }
        filter_.since = moment("since", words_.since);
        filter_.until = moment("until", words_.until);
        if (filter_.jobs.empty() && filter_.system.empty() && filter_.kind.empty() &&
            filter_.subject.empty() && !filter_.since && !fault_) {
            fault_ = WordFault{"", "of which jobs?", "jobs, a system, kind, subject or since"};
        }
        if (fault_) return std::move(*fault_);
        return std::move(filter_);
    }

private:
    void refuse(std::string_view field, std::string_view word, std::string expected) {
        if (!fault_) fault_ = WordFault{field, fmt::format("{} is none", word), expected};
    }

    void read_outcomes() {
        for (const auto& word : words_.outcomes) {
            const auto outcome = replayable_outcome(word);
            if (!outcome && !fault_) {
                fault_ = WordFault{"outcomes", word + ": nobody of these is served once more",
                                   "one or more of failed, refused, expired, unknown"};
            }
            if (outcome) filter_.outcomes.push_back(*outcome);
        }
        const bool unknown = std::find(filter_.outcomes.begin(), filter_.outcomes.end(),
                                       Outcome::unknown) != filter_.outcomes.end();
        if (unknown && !words_.include_unknown && !fault_) {
            fault_ = WordFault{
                "include_unknown",
                "who is `unknown` may have been told already, and would be told twice",
                "send include_unknown (--include-unknown) if that is better than not at all"};
        }
        if (words_.outcomes.empty()) filter_.outcomes.push_back(Outcome::failed);
        if (words_.include_unknown && !unknown) filter_.outcomes.push_back(Outcome::unknown);
    }

    std::optional<TimePoint> moment(std::string_view field, const std::string& text) {
        if (text.empty()) return std::nullopt;
        const auto found = parse_timestamp(text);
        if (!found) refuse(field, text, "a moment, such as 2026-11-28T09:30:00Z");
        return found;
    }

    const ReplayWords& words_;
    ReplayFilter filter_;
    std::optional<WordFault> fault_;
};

json::array to_array_literal(const std::vector<std::string>& texts) {
    return json::array(texts.begin(), texts.end());
}

std::string text_at(const json::object& object, std::string_view name) {
    const auto* const value = object.if_contains({name.data(), name.size()});
    return value == nullptr ? std::string{} : json::value_to<std::string>(*value);
}

std::vector<std::string> texts_at(const json::object& object, std::string_view name) {
    const auto* const value = object.if_contains({name.data(), name.size()});
    if (value == nullptr) return {};
    return json::value_to<std::vector<std::string>>(*value);
}

}  // namespace

std::variant<ReplayFilter, WordFault> read_words(const ReplayWords& words) {
    return Reader{words}.read();
}

std::string to_json(const ReplayFilter& filter) {
    json::object object;
    const auto put = [&object](const char* name, const std::string& value) {
        if (!value.empty()) object[name] = value;
    };
    const auto put_all = [&object](const char* name, const std::vector<std::string>& values) {
        if (!values.empty()) object[name] = to_array_literal(values);
    };
    put_all("jobs", filter.jobs);
    put("system", filter.system);
    put("kind", filter.kind);
    put("subject", filter.subject);
    put_all("systems", filter.systems);
    put_all("sources", filter.sources);
    if (filter.channel) put("channel", std::string{to_string(*filter.channel)});
    put("account", filter.account);
    std::vector<std::string> outcomes, reasons;
    for (const auto outcome : filter.outcomes) outcomes.emplace_back(to_string(outcome));
    for (const auto reason : filter.reasons) reasons.emplace_back(to_string(reason));
    put_all("outcomes", outcomes);
    put_all("reasons", reasons);
    if (filter.since) put("since", format_timestamp(*filter.since));
    if (filter.until) put("until", format_timestamp(*filter.until));
    return json::serialize(object);
}

ReplayFilter parse_filter(std::string_view text) {
    const auto parsed = json::parse({text.data(), text.size()});
    const auto& object = parsed.as_object();
    ReplayFilter filter;
    filter.jobs = texts_at(object, "jobs");
    filter.system = text_at(object, "system");
    filter.kind = text_at(object, "kind");
    filter.subject = text_at(object, "subject");
    filter.systems = texts_at(object, "systems");
    filter.sources = texts_at(object, "sources");
    filter.channel = parse_channel(text_at(object, "channel"));
    filter.account = text_at(object, "account");
    for (const auto& word : texts_at(object, "outcomes")) {
        if (const auto outcome = replayable_outcome(word)) filter.outcomes.push_back(*outcome);
    }
    for (const auto& word : texts_at(object, "reasons")) {
        if (const auto reason = parse_reason(word)) filter.reasons.push_back(*reason);
    }
    filter.since = parse_timestamp(text_at(object, "since"));
    filter.until = parse_timestamp(text_at(object, "until"));
    return filter;
}

}  // namespace fanfare::ledger
