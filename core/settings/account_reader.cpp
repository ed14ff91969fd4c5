#include "core/settings/account_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace fanfare {
namespace {

constexpr std::size_t accounts_max = 100;

struct KnownType {
    std::string_view type;
    Channel channel;
};
constexpr std::array<KnownType, 8> known_types{{{"mailgun", Channel::email},
                                                {"sendgrid", Channel::email},
                                                {"ses", Channel::email},
                                                {"smtp", Channel::email},
                                                {"twilio", Channel::sms},
                                                {"vonage", Channel::sms},
                                                {"fcm", Channel::push},
                                                {"apns", Channel::push}}};

const KnownType* find_type(std::string_view type) {
    const auto* const found = std::find_if(known_types.begin(), known_types.end(),
                                           [&](const auto& known) { return known.type == type; });
    return found == known_types.end() ? nullptr : found;
}

std::vector<Row<AccountSettings>> account_rows() {
    using Account = AccountSettings;
    return {
        words<Account>(
            {"name", "", "Label of metrics and key of the shared rate bucket; unique."},
            name_pattern(40, "-"), [](auto& a) -> auto& { return a.name; }),
        words<Account>(
            {"type", "",
             "The provider: mailgun, sendgrid, ses, smtp, twilio, vonage, fcm or apns."},
            name_pattern(40, "-_"), [](auto& a) -> auto& { return a.type; }),
        choice<Account>(
            {"channel", "", "email, sms or push", "by type",
             "What the account serves; needed only for a type without a channel of "
             "its own."},
            [](const std::string& word) { return parse_channel(word); },
            [](auto& a) -> auto& { return a.channel; }),
        whole<Account>(
            {"weight", "",
             "Share of the channel's work among its accounts; 0: only when no other can."},
            {0, 1'000}, [](auto& a) -> auto& { return a.weight; }),
        real<Account>(
            {"rate.per_second", "the provider's unit per second",
             "Limit of the account over all workers together; 0 for none."},
            {0, 1'000'000}, [](auto& a) -> auto& { return a.rate.per_second; }),
        whole<Account>(
            {"rate.concurrency", "requests", "Requests in flight at once, per worker."}, {1, 1'000},
            [](auto& a) -> auto& { return a.rate.concurrency; }),
        whole<Account>(
            {"batch_max", "recipients",
             "Recipients of one request; 0 for the provider's own maximum."},
            {0, 10'000}, [](auto& a) -> auto& { return a.batch_max; }),
        whole<Account>(
            {"timeout_ms", "ms", "One request, everything included."}, {100, 60'000},
            [](auto& a) -> auto& { return a.timeout; }),
        words<Account>(
            {"ca_file", "", "Certificates to trust; empty for the system's own."},
            plain_text(0, 4096), [](auto& a) -> auto& { return a.ca_file; }),
        flag<Account>(
            {"allow_http", "", "Plain HTTP to loopback, for the simulator."},
            [](auto& a) -> auto& { return a.allow_http; }),
    };
}

void read_options(AccountSettings& account, const YamlValue& map, const std::string& key,
                  Report& report) {
    if (map.is_null() || !expect_map(map, key, report)) return;
    for (std::size_t i = 0; i < map.items.size(); ++i) {
        const auto& name = map.keys[i].text;
        const auto* const text =
            expect_text(map.items[i], join_key(key, name), plain_text(0, 4096), report);
        if (text != nullptr) account.options[name] = *text;
    }
}

void read_secrets(AccountSettings& account, const YamlValue& map, const std::string& key,
                  const SecretSource& source, Report& report) {
    if (map.is_null() || !expect_map(map, key, report)) return;
    for (std::size_t i = 0; i < map.items.size(); ++i) {
        const auto& name = map.keys[i].text;
        const auto& value = map.items[i];
        auto secret = source.read(value, join_key(key, name), report);
        if (!secret) continue;
        account.secrets[name] = std::move(*secret);
        if (const auto* const file = value.find("file")) {
            account.secret_files.push_back(source.folder / file->text);
        }
    }
}

// The channel follows from the type; saying it again is allowed, contradicting is not.
void settle_channel(AccountSettings& account, const YamlValue& map, Report& report) {
    const auto* const type = map.find("type");
    const auto* const channel = map.find("channel");
    if (type == nullptr || account.type.empty()) return;
    const auto key = join_key(account.key, "channel");
    const auto* const known = find_type(account.type);
    if (known == nullptr) {
        if (channel != nullptr) return;
        std::vector<std::string> types;
        for (const auto& each : known_types) types.emplace_back(each.type);
        report.add(
            type->line, join_key(account.key, "type"), account.type,
            fmt::format("{} (any other type needs its channel beside it)", list_words(types)));
        return;
    }
    if (channel == nullptr) {
        account.channel = known->channel;
    } else if (parse_channel(channel->text) && account.channel != known->channel) {
        report.add(
            channel->line, key, channel->text,
            fmt::format("{}, which is what {} serves", to_string(known->channel), known->type));
    }
}

void settle_ca_file(AccountSettings& account, const YamlValue& map, const SecretSource& source,
                    Report& report) {
    if (account.ca_file.empty()) return;
    account.ca_file = (source.folder / account.ca_file).lexically_normal();
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(account.ca_file, ignored)) {
        report.add(map.find("ca_file")->line, join_key(account.key, "ca_file"),
                   account.ca_file.string(), "a file that exists");
    }
}

AccountSettings read_account(const YamlValue& map, const std::string& key,
                             const SecretSource& source, Report& report) {
    AccountSettings account;
    account.file = report.file;
    account.line = map.line;
    account.key = key;
    if (!expect_map(map, key, report)) return account;
    const auto form = account_form(source);
    FormReader<AccountSettings>{account, form, key, report}.read(map);
    for (const auto& row : form.rows) {
        const bool required = row.about.key == "name" || row.about.key == "type";
        if (required && map.find(row.about.key) == nullptr) {
            report.missing(map.line, join_key(key, row.about.key), row.about.bounds);
        }
    }
    settle_channel(account, map, report);
    settle_ca_file(account, map, source, report);
    return account;
}

}  // namespace

Form<AccountSettings> account_form(const SecretSource& secrets) {
    Form<AccountSettings> form;
    form.rows = account_rows();
    form.specials.push_back({{"options", "", "a map of text", "",
                              "The provider's own keys that are no secret; docs/providers.md."},
                             read_options});
    form.specials.push_back(
        {{"secrets", "", fmt::format("a map of {}", secret_bounds), "",
          "The provider's own keys that are secret; docs/providers.md."},
         [secrets](AccountSettings& account, const YamlValue& map, const std::string& key,
                   Report& report) { read_secrets(account, map, key, secrets, report); }});
    return form;
}

std::vector<AccountSettings> read_accounts(const YamlValue& list, const std::string& key,
                                           const SecretSource& secrets, Report& report) {
    std::vector<AccountSettings> accounts;
    if (list.is_null() || !expect_list(list, key, report)) return accounts;
    if (list.items.size() > accounts_max) {
        report.add(list.line, key, fmt::format("{} accounts", list.items.size()),
                   fmt::format("at most {} accounts", accounts_max));
        return accounts;
    }
    std::map<std::string, std::string> names;
    for (std::size_t i = 0; i < list.items.size(); ++i) {
        auto account = read_account(list.items[i], fmt::format("{}[{}]", key, i), secrets, report);
        const auto [first, is_new] = names.emplace(account.name, account.key);
        if (!is_new && !account.name.empty()) {
            report.add(account.line, join_key(account.key, "name"), account.name,
                       fmt::format("a name of its own; {} has this one", first->second));
        }
        accounts.push_back(std::move(account));
    }
    return accounts;
}

}  // namespace fanfare
