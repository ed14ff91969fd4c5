#pragma once

#include <boost/json/object.hpp>
#include <kainjow/mustache.hpp>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What pages are filled with. Values are escaped where a page shows them, all of them.
namespace fanfare::console {

using View = kainjow::mustache::data;
using Views = kainjow::mustache::list;

/// The channels in the words of the API, in the order in which pages show them.
inline constexpr std::array<std::string_view, 3> channel_words{"email", "sms", "push"};

/// The member as text; "" where it is absent or null.
[[nodiscard]] std::string text_in(const boost::json::object& from, std::string_view name);
[[nodiscard]] std::int64_t count_in(const boost::json::object& from, std::string_view name);
[[nodiscard]] double number_in(const boost::json::object& from, std::string_view name);
[[nodiscard]] bool flag_in(const boost::json::object& from, std::string_view name);
/// The members of an array of objects; none where it is absent.
[[nodiscard]] std::vector<boost::json::object> objects_in(const boost::json::object& from,
                                                          std::string_view name);

/// The first of them of which anybody sees something; "" for none.
[[nodiscard]] std::string first_seen(std::initializer_list<std::string> texts);

/// Nothing stands for "": a page's section on it stays closed.
void put(View& into, const std::string& name, const std::string& text);
void put(View& into, const std::string& name, const char* text) = delete;
/// The same of each of these members.
void put_all(View& into, const boost::json::object& from,
             std::initializer_list<std::string_view> names);
/// {iso, text} of a moment as the API writes it; nothing for "".
void put_moment(View& into, const std::string& name, const std::string& iso);
/// {value, is_chosen} of each word that may be chosen.
[[nodiscard]] View option_views(std::span<const std::string_view> words, std::string_view chosen);

[[nodiscard]] std::string grouped(std::int64_t count);
/// "2026-11-28 09:30 UTC" of an ISO moment; as it is where it is none.
[[nodiscard]] std::string moment_text(std::string_view iso);
/// "3 min 20 s".
[[nodiscard]] std::string duration_text(double seconds);
/// "no address" for no_address.
[[nodiscard]] std::string to_words(std::string_view name);
/// As a segment of a path or a value of a query.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace fanfare::console
