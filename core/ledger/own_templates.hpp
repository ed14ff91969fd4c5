#pragma once

#include "core/postgres/connection.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// Owners' own templates, version by version. Functions block, throw what libpqxx throws, and
/// belong inside postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

/// What an owner writes texts for.
struct TemplatesKey {
    std::string system;
    std::string kind;
    std::string owner;  // The source of the jobs.
};

/// One version; it never changes.
struct OwnTemplates {
    std::int64_t id = 0;
    TemplatesKey key;
    std::int32_t version = 0;
    std::map<std::string, std::string> parts;  // "sms.de.text" -> text.
    std::string saved_by;
    std::string saved_at;  // ISO 8601 in UTC.
};

/// The one that counts; nothing where the owner has none, or none any more.
[[nodiscard]] std::optional<OwnTemplates> current_templates(Connection& connection,
                                                            const TemplatesKey& key);

/// An earlier one; nothing for a version that was a deletion.
[[nodiscard]] std::optional<OwnTemplates> find_templates(Connection& connection,
                                                         const TemplatesKey& key,
                                                         std::int32_t version);

/// The one that a job was planned with.
[[nodiscard]] std::optional<OwnTemplates> load_templates(Connection& connection, std::int64_t id);

/// Everything of an owner that counts, by system and kind; without the texts.
[[nodiscard]] std::vector<OwnTemplates> list_templates(Connection& connection,
                                                       const std::string& owner);

/// Makes `parts` the version that counts, unless it is already. Of older versions the latest
/// versions_kept stay, and those that jobs were planned with.
struct SavedTemplates {
    OwnTemplates templates;
    bool was_there = false;  // There was one that counted before.
};
inline constexpr std::int32_t versions_kept = 100;
[[nodiscard]] SavedTemplates save_templates(Connection& connection, const TemplatesKey& key,
                                            const std::map<std::string, std::string>& parts,
                                            const std::string& by);

/// The shipped ones count again for jobs that are planned from now on. False: they do already.
bool delete_templates(Connection& connection, const TemplatesKey& key, const std::string& by);

}  // namespace fanfare::ledger
