#pragma once

#include "core/settings/problem.hpp"
#include "core/settings/settings.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fanfare {

/// One key of a provider account, for `config check`, --help and the reader below.
struct OptionDoc {
    std::string_view name;
    bool secret = false;             // Written as {env: NAME} or {file: PATH}, never in clear.
    bool required = false;           // Alternatives ("one of two") are told in `doc`.
    std::string_view default_value;  // "" where there is none.
    std::string_view doc;
};

/// Reads the options of one account and collects every problem on the way, so that a
/// person mends a configuration in one go. Unknown and missing keys are found first.
///
/// Lifetime  `account` and `docs` outlive the reader.
class OptionReader {
public:
    OptionReader(const AccountSettings& account, std::span<const OptionDoc> docs);

    /// The value, the default, or "". A value that is not secret may come from {env: NAME}.
    [[nodiscard]] std::string text(std::string_view name) const;

    /// An https URL without query, user or trailing slash; http only for a loopback host
    /// of an account with allow_http. Anything else is a problem.
    [[nodiscard]] std::string url(std::string_view name);

    /// A whole number in [min, max]; anything else is a problem, and `min`.
    [[nodiscard]] std::uint32_t whole(std::string_view name, std::uint32_t min, std::uint32_t max);

    [[nodiscard]] bool has(std::string_view name) const { return !text(name).empty(); }

    /// Adds a problem of one key; a secret's value is left out.
    void refuse(std::string_view name, std::string expected);

    /// Adds a problem unless the value is absent or `good`.
    void require(std::string_view name, bool good, std::string expected);

    /// Refuses a batch_max of the account above what the provider takes; returns the
    /// smaller of the two.
    std::size_t batch_max(std::size_t provider_max);

    /// Refuses an account that is configured for another channel.
    void require_channel(Channel channel);

    [[nodiscard]] const AccountSettings& account() const noexcept { return account_; }
    [[nodiscard]] const Problems& problems() const noexcept { return problems_; }

private:
    [[nodiscard]] const OptionDoc* find(std::string_view name) const noexcept;
    void add(std::string_view name, std::string value, std::string expected);
    void find_unknown();
    void find_missing();

    const AccountSettings& account_;
    std::span<const OptionDoc> docs_;
    Problems problems_;
};

/// True for https://host[:port][/path] and, with `allow_http`, http:// to a loopback host.
[[nodiscard]] bool is_api_url(std::string_view url, bool allow_http);

}  // namespace fanfare
