#include "core/settings/client_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare {
namespace {

constexpr std::size_t clients_max = 1'000;
constexpr std::size_t token_bytes_min = 32;

const std::string& scope_bounds() {
    static const std::string bounds = fmt::format("a list of {}", fmt::join(scope_words, ", "));
    return bounds;
}

std::vector<Row<ClientSettings>> client_rows() {
    using Client = ClientSettings;
    return {
        words<Client>(
            {"name", "", "Who calls; stands in its jobs as their source. Unique."},
            name_pattern(40, "-"), [](auto& c) -> auto& { return c.name; }),
        words<Client>(
            {"owner", "", "The client sees the jobs of this owner only, and its own are theirs."},
            plain_text(0, ClientSettings::owner_bytes_max),
            [](auto& c) -> auto& { return c.owner; }),
        whole<Client>(
            {"per_second", "requests per second", "Requests that are served; more get 429."},
            {1, 100'000}, [](auto& c) -> auto& { return c.per_second; }),
    };
}

/// Calls `take` with each text of a list; false from it: the text is not one of them.
template <class Take>
void read_list(const YamlValue& list, const std::string& key, const TextRule& rule, Report& report,
               Take take) {
    if (!expect_list(list, key, report)) return;
    for (std::size_t i = 0; i < list.items.size(); ++i) {
        const auto at = fmt::format("{}[{}]", key, i);
        const auto* const text = expect_text(list.items[i], at, rule, report);
        if (text != nullptr) take(*text);
    }
}

void read_scopes(ClientSettings& client, const YamlValue& list, const std::string& key,
                 Report& report) {
    const std::vector<std::string> all{scope_words.begin(), scope_words.end()};
    read_list(list, key, one_of(all), report, [&](const std::string& word) {
        client.scopes.push_back(parse_scope(word).value_or(Scope::read));
    });
}

void read_token(ClientSettings& client, const YamlValue& value, const std::string& key,
                const SecretSource& source, Report& report) {
    auto secret = source.read(value, key, report);
    if (!secret) return;
    if (secret->reveal().size() < token_bytes_min) {
        report.add(value.line, key, not_shown, "at least 32 bytes: openssl rand -hex 32");
    }
    client.token = std::move(*secret);
}

ClientSettings read_client(const YamlValue& map, const std::string& key, const SecretSource& source,
                           Report& report) {
    ClientSettings client;
    client.line = map.line;
    if (!expect_map(map, key, report)) return client;
    const auto form = client_form(source);
    FormReader<ClientSettings>{client, form, key, report}.read(map);
    const std::pair<const char*, std::string_view> required[]{
        {"name", "1 to 40 characters of a-z, 0-9 and -"},
        {"token", secret_bounds},
        {"scopes", scope_bounds()}};
    for (const auto& [name, bounds] : required) {
        if (map.find(name) == nullptr) {
            report.missing(map.line, join_key(key, name), std::string{bounds});
        }
    }
    return client;
}

}  // namespace

Form<ClientSettings> client_form(const SecretSource& secrets) {
    Form<ClientSettings> form;
    form.rows = client_rows();
    form.specials.push_back(
        {{"token", "", std::string{secret_bounds}, "", "Its bearer token; at least 32 bytes."},
         [secrets](ClientSettings& client, const YamlValue& value, const std::string& key,
                   Report& report) { read_token(client, value, key, secrets, report); }});
    form.specials.push_back(
        {{"scopes", "", scope_bounds(), "", "What the client may do; docs/api.md."}, read_scopes});
    form.specials.push_back(
        {{"systems", "", "a list of systems", "", "What it sees and touches; all where absent."},
         [](ClientSettings& client, const YamlValue& list, const std::string& key, Report& report) {
             read_list(list, key, name_pattern(40, "-_"), report,
                       [&](const std::string& name) { client.systems.push_back(name); });
         }});
    return form;
}

std::vector<ClientSettings> read_clients(const YamlValue& list, const std::string& key,
                                         const SecretSource& secrets, Report& report) {
    std::vector<ClientSettings> clients;
    if (list.is_null() || !expect_list(list, key, report)) return clients;
    if (list.items.size() > clients_max) {
        report.add(list.line, key, fmt::format("{} clients", list.items.size()),
                   fmt::format("at most {} clients", clients_max));
        return clients;
    }
    for (std::size_t i = 0; i < list.items.size(); ++i) {
        const auto at = fmt::format("{}[{}]", key, i);
        auto client = read_client(list.items[i], at, secrets, report);
        for (const auto& other : clients) {
            if (!client.name.empty() && other.name == client.name) {
                report.add(client.line, join_key(at, "name"), client.name, "a name of its own");
            }
            if (!client.token.empty() && other.token.reveal() == client.token.reveal()) {
                report.add(client.line, join_key(at, "token"), not_shown, "a token of its own");
            }
        }
        // Jobs of these sources are nobody's in particular.
        const auto& source = client.owner.empty() ? client.name : client.owner;
        if (source == "scheduler" || source == "cli") {
            report.add(client.line, join_key(at, client.owner.empty() ? "name" : "owner"), source,
                       "another word: this one is Fanfare's own");
        }
        clients.push_back(std::move(client));
    }
    return clients;
}

}  // namespace fanfare
