#include "core/providers/registry.hpp"

#include "core/providers/apns/apns.hpp"
#include "core/providers/fcm/fcm.hpp"
#include "core/providers/mailgun/mailgun.hpp"
#include "core/providers/sendgrid/sendgrid.hpp"
#include "core/providers/ses/ses.hpp"
#include "core/providers/smtp/smtp.hpp"
#include "core/providers/twilio/twilio.hpp"
#include "core/providers/vonage/vonage.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace fanfare {
namespace {

/// One provider: what it is called, what it takes, how it is made. `make` returns null
/// when the reader has found a problem.
struct Entry {
    std::string_view type;
    std::span<const OptionDoc> (*options)();
    std::unique_ptr<Provider> (*make)(OptionReader&, const ProviderContext&);
};

constexpr std::array entries{
    Entry{"apns", apns::options, apns::make},
    Entry{"fcm", fcm::options, fcm::make},
    Entry{"mailgun", mailgun::options, mailgun::make},
    Entry{"sendgrid", sendgrid::options, sendgrid::make},
    Entry{"ses", ses::options, ses::make},
    Entry{"smtp", smtp::options, smtp::make},
    Entry{"twilio", twilio::options, twilio::make},
    Entry{"vonage", vonage::options, vonage::make},
};

constexpr std::array<std::string_view, entries.size()> list_types() {
    std::array<std::string_view, entries.size()> types;
    for (std::size_t i = 0; i < entries.size(); ++i) types[i] = entries[i].type;
    return types;
}

constexpr auto types = list_types();

const Entry* find(std::string_view type) noexcept {
    const auto* const found = std::find_if(entries.begin(), entries.end(),
                                           [type](const Entry& e) { return e.type == type; });
    return found == entries.end() ? nullptr : found;
}

}  // namespace

std::span<const std::string_view> provider_types() { return types; }

std::vector<OptionDoc> provider_options(std::string_view type) {
    const auto* const entry = find(type);
    if (entry == nullptr) return {};
    const auto docs = entry->options();
    return {docs.begin(), docs.end()};
}

std::variant<std::unique_ptr<Provider>, Problems> make_provider(const AccountSettings& account,
                                                                const ProviderContext& context) {
    const auto* const entry = find(account.type);
    if (entry == nullptr) {
        return Problems{{.file = account.file,
                         .line = account.line,
                         .key = account.key + ".type",
                         .value = account.type,
                         .expected = fmt::format("one of {}", fmt::join(types, ", "))}};
    }
    OptionReader reader{account, entry->options()};
    auto provider = entry->make(reader, context);
    if (!reader.problems().empty()) return reader.problems();
    return provider;
}

}  // namespace fanfare
