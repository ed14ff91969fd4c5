#include "core/ledger/suppression_list.hpp"

#include "core/audience/address.hpp"
#include "core/ledger/iso.hpp"

#include <pqxx/nontransaction>

#include <algorithm>
#include <string_view>

namespace fanfare::ledger {
namespace {

constexpr std::string_view blanks{" \t"};
constexpr const char* beyond_all = "\xF4\x8F\xBF\xBF";  // The last character, as UTF-8.

/// How the stored form of what is looked for begins on a channel; nothing where it can be none.
std::optional<std::string> find_beginning(Channel channel, std::string_view search) {
    if (search.empty()) return std::string{};
    if (auto whole = find_compared_form(channel, search, Plus::optional)) return whole;
    const auto from = search.find_first_not_of(blanks);
    if (from == std::string_view::npos) return std::nullopt;
    search = search.substr(from, search.find_last_not_of(blanks) + 1 - from);
    if (channel != Channel::sms) return compared_form(channel, search);
    // A number is stored without what people put between its digits.
    std::string number{"+"};
    for (const char each : search) {
        if (each >= '0' && each <= '9') {
            number.push_back(each);
        } else if (std::string_view{"+-./() "}.find(each) == std::string_view::npos) {
            return std::nullopt;
        }
    }
    return number.size() > 1 ? std::optional{number} : std::nullopt;
}

}  // namespace

bool list_suppressions(Connection& connection, const SuppressionFilter& filter,
                       SuppressionCursor& cursor, std::size_t limit,
                       std::vector<Suppression>& suppressions) {
    pqxx::nontransaction work{connection.raw()};
    const auto first = cursor.channel;
    std::size_t found = 0;
    for (const auto channel : channels) {
        if (channel < first || (filter.channel && channel != *filter.channel)) continue;
        const auto beginning = find_beginning(channel, filter.search);
        if (!beginning) continue;
        // A range of the key. Forms that the version before looks for stand beside ours.
        const auto rows = work.exec_params(
            "SELECT address, reason, source, " FANFARE_ISO_SECONDS(
                "created_at") " FROM suppression WHERE channel = $1 AND address > $2 "
                              "AND address >= $3 AND address < $4 "
                              "AND (compared IS NULL OR compared IN (address, '')) "
                              "ORDER BY address LIMIT $5",
            static_cast<int>(channel), channel == first ? cursor.address : std::string{},
            *beginning, *beginning + beyond_all, static_cast<std::int64_t>(limit - found + 1));
        for (const auto& row : rows) {
            if (found == limit) return true;
            suppressions.push_back(
                {channel, row[0].c_str(), row[1].c_str(), row[2].c_str(), row[3].c_str()});
            cursor = {channel, row[0].c_str()};
            ++found;
        }
    }
    return false;
}

}  // namespace fanfare::ledger
