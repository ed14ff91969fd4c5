#include "sim/webhooks/settings.hpp"

#include <fmt/format.h>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

using Settings = WebhookSettings;

struct Number {
    std::string_view name;
    double Settings::*member;
    double min, max;
};

constexpr Number numbers[] = {
    {"sns_signature_version", &Settings::sns_signature_version, 1, 2},
    {"webhook_delay_ms", &Settings::delay_ms, 0, 86'400'000},
    {"webhook_concurrency", &Settings::concurrency, 1, 1'000},
    {"webhook_batch", &Settings::batch, 1, 1'000},
    {"webhook_retry_scale", &Settings::retry_scale, 0, 1},
    {"hard_bounce_rate", &Settings::hard_bounce_rate, 0, 1},
    {"soft_bounce_rate", &Settings::soft_bounce_rate, 0, 1},
    {"delivered_rate", &Settings::delivered_rate, 0, 1},
    {"complaint_rate", &Settings::complaint_rate, 0, 1},
    {"unsubscribed_rate", &Settings::unsubscribed_rate, 0, 1},
    {"clicked_rate", &Settings::clicked_rate, 0, 1},
    {"opened_rate", &Settings::opened_rate, 0, 1},
    {"deferred_rate", &Settings::deferred_rate, 0, 1},
    {"duplicate_rate", &Settings::duplicate_rate, 0, 1},
    {"reorder_rate", &Settings::reorder_rate, 0, 1},
};

struct Switch {
    std::string_view name;
    bool Settings::*member;
};

constexpr Switch switches[] = {
    {"webhooks", &Settings::on},
    {"await_confirmation", &Settings::await_confirmation},
    {"progress_events", &Settings::progress_events},
};

struct Text {
    std::string_view name;
    std::string Settings::*member;
    bool is_url = false;
    bool is_secret = false;
};

constexpr Text texts[] = {
    {.name = "webhook_url", .member = &Settings::url, .is_url = true},
    {.name = "webhook_connect", .member = &Settings::connect, .is_url = true},
    {.name = "webhook_key", .member = &Settings::key, .is_secret = true},
    {.name = "signature_method", .member = &Settings::signature_method},
};

constexpr std::array<std::string_view, 5> methods = {"md5hash", "md5", "sha1", "sha256", "sha512"};

std::string set_text(Settings& settings, const Text& text, const json::value& value) {
    const auto* given = value.if_string();
    if (given == nullptr) return fmt::format("{} must be a string", text.name);
    const std::string_view word{*given};
    if (text.is_url && !word.empty() && !word.starts_with("http://") &&
        !word.starts_with("https://")) {
        return fmt::format("{} must begin with http:// or https://", text.name);
    }
    if (text.name == "signature_method" &&
        std::find(methods.begin(), methods.end(), word) == methods.end()) {
        return fmt::format("signature_method is one of {}", fmt::join(methods, ", "));
    }
    settings.*text.member = std::string{word};
    return {};
}

std::optional<EventKind> parse_outcome(std::string_view name) {
    for (std::size_t i = 0; i < event_kind_count; ++i) {
        const auto kind = static_cast<EventKind>(i);
        const bool passing = kind == EventKind::accepted || kind == EventKind::deferred;
        if (!passing && to_string(kind) == name) return kind;
    }
    return std::nullopt;
}

std::string set_outcomes(Settings& settings, const json::value& value) {
    const auto* map = value.if_object();
    if (map == nullptr) return "outcomes must be an object address -> outcome";
    decltype(settings.outcomes) outcomes;
    for (const auto& [address, name] : *map) {
        const auto outcome =
            name.is_string() ? parse_outcome(name.get_string()) : std::optional<EventKind>{};
        if (!outcome) {
            return "outcomes: one of none, delivered, opened, clicked, unsubscribed, complained, "
                   "soft_bounced, hard_bounced";
        }
        outcomes.emplace(std::string{std::string_view{address}}, *outcome);
    }
    settings.outcomes = std::move(outcomes);
    return {};
}

std::string set_one(Settings& settings, std::string_view name, const json::value& value) {
    for (const auto& number : numbers) {
        if (number.name != name) continue;
        boost::system::error_code error;
        const auto given = value.to_number<double>(error);
        if (error || !(given >= number.min && given <= number.max)) {
            return fmt::format("{} must be a number in [{}, {}]", name, number.min, number.max);
        }
        settings.*number.member = given;
        return {};
    }
    for (const auto& one : switches) {
        if (one.name != name) continue;
        if (!value.is_bool()) return fmt::format("{} must be true or false", name);
        settings.*one.member = value.get_bool();
        return {};
    }
    for (const auto& text : texts) {
        if (text.name == name) return set_text(settings, text, value);
    }
    return set_outcomes(settings, value);
}

}  // namespace

bool WebhookSettings::knows(std::string_view name) noexcept {
    const auto named = [name](const auto& setting) { return setting.name == name; };
    return name == "outcomes" || std::any_of(std::begin(numbers), std::end(numbers), named) ||
           std::any_of(std::begin(switches), std::end(switches), named) ||
           std::any_of(std::begin(texts), std::end(texts), named);
}

std::string WebhookSettings::change(const json::object& change) {
    auto changed = *this;
    for (const auto& [name, value] : change) {
        if (!knows(name)) return fmt::format("unknown setting \"{}\"", std::string_view{name});
        if (auto problem = set_one(changed, name, value); !problem.empty()) return problem;
    }
    *this = std::move(changed);
    return {};
}

void WebhookSettings::show(json::object& shown) const {
    for (const auto& number : numbers) {
        const auto value = this->*number.member;
        const bool is_whole = std::trunc(value) == value;
        shown[number.name] =
            is_whole ? json::value(static_cast<std::int64_t>(value)) : json::value(value);
    }
    for (const auto& one : switches) shown[one.name] = this->*one.member;
    for (const auto& text : texts) {
        const auto& value = this->*text.member;
        shown[text.name] = text.is_secret && !value.empty() ? std::string{"***"} : value;
    }
    auto& listed = shown["outcomes"].emplace_object();
    for (const auto& [address, outcome] : outcomes) listed[address] = to_string(outcome);
}

}  // namespace fanfare::sim
