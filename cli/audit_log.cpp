#include "cli/audit_log.hpp"

#include "core/domain/number.hpp"
#include "core/domain/uuid.hpp"
#include "core/reference/compact.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace fanfare::cli {
namespace {

constexpr std::size_t uuid_size = 36;

/// What a column may be called, its usual name first.
struct Name {
    std::string_view word;
    std::uint8_t column;
};

/// Without a tag: "<job>.<chunk>.<position>", where there is no key to prove more.
std::optional<Reference> read_untagged(std::string_view text, Channel channel) {
    text.remove_prefix(uuid_size + 1);
    const auto dot = text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto chunk = parse_number<std::uint32_t>(text.substr(0, dot));
    auto rest = text.substr(dot + 1);
    rest = rest.substr(0, rest.find('.'));
    const auto position = parse_number<std::uint32_t>(rest);
    if (!chunk || !position) return std::nullopt;
    return Reference{{}, channel, *chunk, *position};
}

}  // namespace

std::string lowered(std::string_view text) {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    std::string low{text};
    for (auto& c : low) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return low;
}

std::string whole_reference(std::string_view text, std::string_view person) {
    if (text.starts_with('<')) text.remove_prefix(1);
    text = text.substr(0, text.find_first_of("@>"));
    if (text.size() == compact_reference_size) {
        if (auto whole = expand_reference(text)) return std::move(*whole);
    }
    std::string whole{text};
    if (whole.size() > uuid_size && whole[uuid_size] == '_') {
        for (std::size_t dots = 0, i = uuid_size; dots < 3 && i < whole.size(); ++i) {
            if (whole[i] != '_') continue;
            whole[i] = '.';
            ++dots;
        }
    }
    if (!person.empty() && std::count(whole.begin(), whole.end(), '.') == 1) {
        whole.append(".").append(person);
    }
    return whole;
}

std::string AuditLog::read(AuditBook& book, LogCounts& counts) {
    Fields row;
    if (!reader_.next(row)) {
        if (reader_.fault().empty()) return "the log is empty; give it a heading";
        return fmt::format("line {}: {}", reader_.line(), reader_.fault());
    }
    if (auto problem = read_heading(row); !problem.empty()) return problem;
    while (reader_.next(row)) {
        ++counts.rows;
        auto problem = read_row(row, book, counts);
        if (!problem.empty()) return fmt::format("line {}, {}", reader_.line(), problem);
    }
    if (reader_.fault().empty()) return {};
    return fmt::format("line {}: {}", reader_.line(), reader_.fault());
}

std::string AuditLog::read_heading(const Fields& heading) {
    constexpr std::array<Name, 13> names{{{"reference", reference_at},
                                          {"fanfare", reference_at},
                                          {"client_ref", reference_at},
                                          {"client-ref", reference_at},
                                          {"recipient", recipient_at},
                                          {"recipient_id", recipient_at},
                                          {"message_id", message_id_at},
                                          {"provider_id", message_id_at},
                                          {"person", person_at},
                                          {"job", job_at},
                                          {"channel", channel_at},
                                          {"device", device_at},
                                          {"status", status_at}}};
    for (const auto& name : names) {
        if (columns_[name.column]) continue;
        for (std::size_t i = 0; i < heading.size(); ++i) {
            if (lowered(heading[i]) != name.word) continue;
            columns_[name.column] = i;
            spelt_[name.column] = name.word;
            break;
        }
    }
    for (const auto key : {reference_at, recipient_at, message_id_at}) {
        if (!columns_[key]) continue;
        key_ = key;
        if (!rules_.accepted.empty() && !columns_[status_at]) {
            return "line 1: --accepted needs a column `status`, and there is none";
        }
        if (key == recipient_at && !rules_.usual && !columns_[channel_at]) {
            return "line 1: a log of recipients needs a column `channel`, or --channel C where all "
                   "of it is of one";
        }
        return {};
    }
    return "line 1: no column says who is meant; call one `reference`, `recipient` or "
           "`message_id`";
}

std::string AuditLog::at(Column column) const {
    return fmt::format("column {} ({})", columns_[column].value_or(0) + 1, spelt_[column]);
}

std::string_view AuditLog::field(const Fields& row, Column column) const {
    const auto place = columns_[column];
    if (!place || *place >= row.size()) return {};
    return row[*place];
}

bool AuditLog::counts_as_accepted(const Fields& row) const {
    if (rules_.accepted.empty()) return true;
    const auto word = lowered(field(row, status_at));
    return std::find(rules_.accepted.begin(), rules_.accepted.end(), word) != rules_.accepted.end();
}

std::string AuditLog::find_channel(const Fields& row, std::optional<Channel>& found) const {
    found = rules_.usual;
    const auto word = lowered(field(row, channel_at));
    if (word.empty()) return {};
    found = parse_channel(word);
    if (found) return {};
    return fmt::format("{}: no channel; write email, sms or push", at(channel_at));
}

std::string AuditLog::read_row(const Fields& row, AuditBook& book, LogCounts& counts) {
    if (columns_[key_].value_or(0) >= row.size()) {
        return fmt::format("{}: the row ends before it; give every row all columns", at(key_));
    }
    // Another job may have gone by a channel that is none of ours.
    const auto own_job = lowered(field(row, job_at));
    if (!own_job.empty() && own_job != rules_.job) {
        ++counts.others;
        return {};
    }
    std::optional<Channel> found;
    if (auto problem = find_channel(row, found); !problem.empty()) return problem;
    const bool is_elsewhere = rules_.channel && found && found != rules_.channel;
    const auto key = field(row, key_);
    if (is_elsewhere || key.empty()) {
        ++counts.others;
        return {};
    }
    if (!counts_as_accepted(row)) {
        ++counts.uncounted;
        return {};
    }
    if (key_ == reference_at) {
        note_reference(row, found, book, counts);
        return {};
    }
    if (key_ == message_id_at) {
        ++(book.note_message_id(key, field(row, device_at)) ? counts.of_job : counts.others);
        return {};
    }
    if (!found) return fmt::format("{}: empty; write email, sms or push", at(channel_at));
    ++counts.of_job;
    if (!book.note_recipient(*found, key, field(row, device_at))) book.note_stranger(*found, key);
    return {};
}

/// The channel that a tag proves; without tags the one that the row has.
std::optional<Reference> AuditLog::read_reference(std::string_view text,
                                                  std::optional<Channel> channel) const {
    if (!rules_.references->has_key()) {
        return channel ? read_untagged(text, *channel) : std::nullopt;
    }
    for (const auto each : channels) {
        if (auto known = rules_.references->read(text, each)) return known;
    }
    return std::nullopt;
}

void AuditLog::note_reference(const Fields& row, std::optional<Channel> channel, AuditBook& book,
                              LogCounts& counts) const {
    const auto text = whole_reference(field(row, reference_at), field(row, person_at));
    if (text.size() <= uuid_size || text[uuid_size] != '.' || !text.starts_with(rules_.job)) {
        ++counts.others;
        return;
    }
    const auto known = read_reference(text, channel);
    if (!known) {
        ++counts.unproven;
        return;
    }
    if (rules_.channel && known->channel != *rules_.channel) {
        ++counts.others;
        return;
    }
    ++counts.of_job;
    if (!book.note_place(known->channel, known->chunk, known->position, field(row, device_at))) {
        book.note_stranger(known->channel,
                           fmt::format("chunk {} place {}", known->chunk, known->position));
    }
}

}  // namespace fanfare::cli
