#include "core/wire/job_rejection.hpp"

#include "core/error/failure.hpp"
#include "core/settings/report.hpp"
#include "core/settings/text_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fanfare {
namespace {

// What a job and an event around it may be made of; every other name in a pointer is a stranger's.
constexpr std::array<std::string_view, 23> known_names{
    "version",    "id",          "idempotency_key",
    "system",     "kind",        "subject",
    "audience",   "channels",    "lane",
    "data",       "expires_at",  "ttl_s",
    "source",     "name",        "params",
    "recipients", "owner",       "type",
    "time",       "specversion", "datacontenttype",
    "headers",    "data_base64"};

bool is_index(std::string_view name) {
    constexpr std::size_t digits_max = 5;
    return !name.empty() && name.size() <= digits_max &&
           std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_known(std::string_view name) {
    return is_index(name) ||
           std::find(known_names.begin(), known_names.end(), name) != known_names.end();
}

/// What a programmer calls a field: nobody's address or number.
bool is_plain(std::string_view name) {
    constexpr std::size_t bytes_max = 40;
    constexpr std::ptrdiff_t digits_max = 5;
    return name.size() <= bytes_max && is_variable_name(name) &&
           std::count_if(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }) <=
               digits_max;
}

/// "/data/jane@example.com" -> "/data/*".
template <class MayShow>
std::string masked(std::string_view pointer, MayShow may_show) {
    constexpr std::size_t parts_max = 8;
    std::string shown;
    for (std::size_t i = 0; i < parts_max && !pointer.empty(); ++i) {
        pointer.remove_prefix(1);  // The slash.
        const auto slash = std::min(pointer.find('/'), pointer.size());
        const auto name = pointer.substr(0, slash);
        shown.append("/").append(may_show(name) ? name : "*");
        pointer.remove_prefix(slash);
    }
    return shown;
}

}  // namespace

const std::vector<RejectionDoc>& rejection_docs() {
    static const std::vector<RejectionDoc> docs{
        {"too_large", "The message has more than 1,000,000 bytes, or more than the broker takes."},
        {"not_json", "The bytes are not one JSON text in UTF-8."},
        {"too_deep", "Arrays and objects are nested more than 8 deep."},
        {"duplicate_key", "An object has the same key twice."},
        {"nul_character", "A text or a key holds a NUL character."},
        {"number_out_of_range", "A number is too large for a finite double."},
        {"wrong_type", "A field has another JSON type than the schema says."},
        {"unknown_field", "A field is not in the schema."},
        {"missing_field", "A required field is absent."},
        {"unsupported_version", "The version is not 1."},
        {"missing_key", "Neither id nor idempotency_key is present."},
        {"invalid_id", "The id is not a uuid."},
        {"invalid_value", "A text is empty, too long, or holds characters it must not."},
        {"unknown_channel", "A channel is not email, sms or push."},
        {"no_channels", "The list of channels is empty."},
        {"unknown_lane", "The lane is not urgent, normal or bulk."},
        {"nested_value", "A value of data or params is an object or an array."},
        {"ambiguous_audience", "The audience has recipients and a name or params."},
        {"no_recipients", "The list of recipients is empty."},
        {"too_many_recipients", "The list of recipients has more than 10,000 entries."},
        {"invalid_recipient",
         "A recipient id is empty, too long, has control characters, or is spelled otherwise by "
         "the system."},
        {"invalid_timestamp", "A moment is not ISO 8601 with a zone."},
        {"negative_expiry", "The expiry lies before it could ever be met."},
        {"ambiguous_expiry", "Both expires_at and ttl_s are present."},
        {"unknown_system", "No system folder has this name."},
        {"unknown_kind", "The system has no such kind."},
        {"missing_subject", "The kind is for those who were told of a subject, and there is none."},
        {"missing_audience", "Neither the job nor its kind names an audience."},
        {"unknown_audience", "The system has no such audience."},
        {"missing_parameter", "The audience needs a parameter that is absent."},
        {"surplus_parameter", "The audience has no such parameter."},
        {"unknown_template", "The kind has no templates for a channel that the job may use."},
        {"unreachable_channel", "The system has no contact query for the channel."},
        {"invalid_parameter", "A parameter is not of the type that the audience casts it to."},
        {"missing_variable", "A text needs a variable that neither the job nor its people have."},
        {"unrenderable", "A text cannot be written with the job's values."},
        {"invalid_event", "The message is no CloudEvents 1.0 event with a job as its data."},
        {"key_reused", "The job's key, or its id, was used for another job."},
        {"not_storable", "The job holds a value that PostgreSQL does not take."},
        {"unknown_event_type", "The event's type is not fanfare.job.v1 or io.fanfare.job."},
    };
    return docs;
}

Rejection reject(std::string_view code, std::string_view pointer, std::string_view sentence) {
    const auto& docs = rejection_docs();
    ensure(std::any_of(docs.begin(), docs.end(), [&](const auto& doc) { return doc.code == code; }),
           "a rejection has a documented code");
    const auto place = pointer.empty() ? std::string_view{"the message"} : pointer;
    return {std::string{code}, fmt::format("{}: {}", place, sentence), masked(pointer, is_known),
            std::string{sentence}};
}

std::string for_log(const Rejection& rejection) {
    return fmt::format("{} at {}", rejection.code,
                       rejection.place.empty() ? "the message" : rejection.place);
}

std::string for_terminal(const Rejection& rejection) {
    const auto& [code, message, place, sentence] = rejection;
    if (sentence.empty() || place.empty()) return fmt::format("{}: {}", code, message);
    const std::string_view whole{message};
    const auto may_show = [](std::string_view name) { return is_known(name) || is_plain(name); };
    const auto pointer = whole.substr(0, whole.size() - sentence.size() - 2);
    return fmt::format("{}: {}: {}", code, masked(pointer, may_show), sentence);
}

std::string point_to(std::string_view parent, std::string_view name) {
    std::string pointer{parent};
    pointer += '/';
    for (const char c : one_line(name, 60)) {
        if (c == '~') {
            pointer += "~0";
        } else if (c == '/') {
            pointer += "~1";
        } else {
            pointer += c;
        }
    }
    return pointer;
}

}  // namespace fanfare
