#include "sim/faults/faults.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 10> treatment_names = {
    "accept",      "refuse",     "throttle",  "concurrency", "error",
    "lose_before", "lose_after", "blackhole", "malformed",   "error_after"};

struct Number {
    std::string_view name;
    double Faults::*member;
    double max;
};

constexpr Number numbers[] = {
    {"latency_ms", &Faults::latency_ms, 600'000},
    {"jitter_ms", &Faults::jitter_ms, 600'000},
    {"refuse_rate", &Faults::refuse_rate, 1},
    {"throttle_rate", &Faults::throttle_rate, 1},
    {"error_rate", &Faults::error_rate, 1},
    {"lose_before_rate", &Faults::lose_before_rate, 1},
    {"lose_after_rate", &Faults::lose_after_rate, 1},
    {"blackhole_rate", &Faults::blackhole_rate, 1},
    {"malformed_rate", &Faults::malformed_rate, 1},
    {"error_after_rate", &Faults::error_after_rate, 1},
    {"limit_per_second", &Faults::limit_per_second, 1e9},
    {"limit_burst", &Faults::limit_burst, 1e9},
    {"concurrency_limit", &Faults::concurrency_limit, 1e6},
    {"retry_after_s", &Faults::retry_after_s, 86'400},
    {"error_status", &Faults::error_status, 599},
    {"token_generation", &Faults::token_generation, 1e9},
};

std::string set_number(Faults& faults, const Number& number, const json::value& value) {
    boost::system::error_code error;
    const auto given = value.to_number<double>(error);
    if (error || !(given >= 0 && given <= number.max)) {
        return fmt::format("{} must be a number in [0, {}]", number.name, number.max);
    }
    faults.*number.member = given;
    return {};
}

std::string set_addresses(Faults& faults, const json::value& value) {
    decltype(faults.fail_addresses) addresses;
    if (const auto* list = value.if_array()) {
        for (const auto& item : *list) {
            if (!item.is_string()) return "fail_addresses must hold strings";
            addresses.emplace(std::string{std::string_view{item.get_string()}}, "");
        }
    } else if (const auto* map = value.if_object()) {
        for (const auto& [address, code] : *map) {
            if (!code.is_string()) return "fail_addresses must map strings to strings";
            addresses.emplace(std::string{std::string_view{address}},
                              std::string{std::string_view{code.get_string()}});
        }
    } else {
        return "fail_addresses must be a list, or an object address -> error code";
    }
    faults.fail_addresses = std::move(addresses);
    return {};
}

std::string set_script(Faults& faults, const json::value& value) {
    const auto* list = value.if_array();
    if (list == nullptr) return "script must be a list of fates";
    decltype(faults.script) script;
    for (const auto& item : *list) {
        const auto* name = item.if_string();
        const auto found = name == nullptr
                               ? treatment_names.end()
                               : std::find(treatment_names.begin(), treatment_names.end(),
                                           std::string_view{*name});
        if (found == treatment_names.end()) {
            return fmt::format("script: a fate is one of {}", fmt::join(treatment_names, ", "));
        }
        script.push_back(static_cast<Treatment>(found - treatment_names.begin()));
    }
    faults.script = std::move(script);
    return {};
}

std::string set_one(Faults& faults, std::string_view name, const json::value& value) {
    for (const auto& number : numbers) {
        if (number.name == name) return set_number(faults, number, value);
    }
    if (name == "fail_addresses") return set_addresses(faults, value);
    if (name == "script") return set_script(faults, value);
    if (name == "limit_unit") {
        const auto* unit = value.if_string();
        if (unit == nullptr || (*unit != "request" && *unit != "recipient")) {
            return "limit_unit must be \"request\" or \"recipient\"";
        }
        faults.limit_recipients = *unit == "recipient";
        return {};
    }
    if (name == "cut_connections") {
        if (!value.is_bool()) return "cut_connections must be true or false";
        faults.cut_connections = value.get_bool();
        return {};
    }
    return fmt::format("unknown setting \"{}\"", name);
}

}  // namespace

std::string_view to_string(Treatment treatment) noexcept {
    return treatment_names[static_cast<std::size_t>(treatment)];
}

std::string Faults::change(const json::object& change) {
    Faults changed = *this;
    for (const auto& [name, value] : change) {
        if (auto problem = set_one(changed, name, value); !problem.empty()) return problem;
    }
    *this = std::move(changed);
    return {};
}

json::object Faults::show() const {
    json::object shown;
    for (const auto& number : numbers) {
        const auto value = this->*number.member;
        const auto whole = static_cast<std::int64_t>(value);
        const bool is_whole = static_cast<double>(whole) == value;
        shown[number.name] = is_whole ? json::value(whole) : json::value(value);
    }
    shown["limit_unit"] = limit_recipients ? "recipient" : "request";
    shown["cut_connections"] = cut_connections;
    auto& addresses = shown["fail_addresses"].emplace_object();
    for (const auto& [address, code] : fail_addresses) addresses[address] = code;
    auto& fates = shown["script"].emplace_array();
    for (const auto treatment : script) fates.emplace_back(json::string_view{to_string(treatment)});
    return shown;
}

double draw(std::uint64_t seed, std::uint64_t number, std::uint64_t what) noexcept {
    // splitmix64 over all three.
    auto z = seed + number * 0x9e3779b97f4a7c15ULL + what * 0xd1342543de82ef95ULL;
    for (int i = 0; i < 2; ++i) {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        z ^= z >> 31;
    }
    return static_cast<double>(z >> 11) * 0x1.0p-53;
}

bool TokenBucket::take(double rate, double burst, double cost, std::int64_t now_ns) noexcept {
    const auto full = burst > 0 ? burst : rate;
    if (filled_at_ns_ == 0) {
        tokens_ = full;
    } else {
        const auto seconds =
            static_cast<double>(std::max<std::int64_t>(now_ns - filled_at_ns_, 0)) / 1e9;
        tokens_ = std::min(full, tokens_ + seconds * rate);
    }
    filled_at_ns_ = now_ns;
    constexpr double rounding = 1e-6;  // A token gathered in tenths is a token.
    if (tokens_ + rounding < std::min(cost, full)) return false;
    tokens_ -= cost;
    return true;
}

Treatment decide(const Faults& faults, const FaultContext& situation) noexcept {
    if (!faults.script.empty()) return faults.script.front();
    const auto happens = [&](double rate, Treatment treatment) {
        return rate > 0 &&
               draw(situation.seed, situation.number, static_cast<std::uint64_t>(treatment)) < rate;
    };
    if (happens(faults.lose_before_rate, Treatment::lose_before)) return Treatment::lose_before;
    if (!situation.within_concurrency) return Treatment::concurrency;
    if (!situation.within_limit || happens(faults.throttle_rate, Treatment::throttle)) {
        return Treatment::throttle;
    }
    if (happens(faults.error_rate, Treatment::error)) return Treatment::error;
    if (situation.refused) return Treatment::refuse;
    if (happens(faults.lose_after_rate, Treatment::lose_after)) return Treatment::lose_after;
    if (happens(faults.blackhole_rate, Treatment::blackhole)) return Treatment::blackhole;
    if (happens(faults.malformed_rate, Treatment::malformed)) return Treatment::malformed;
    if (happens(faults.error_after_rate, Treatment::error_after)) return Treatment::error_after;
    return Treatment::accept;
}

}  // namespace fanfare::sim
