#include "core/http/origin.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>

namespace fanfare {
namespace {

constexpr std::size_t host_bytes_max = 253;  // Of a name, as DNS has it.

}  // namespace

std::optional<HttpOrigin> read_origin(std::string_view url) {
    const auto parsed = boost::urls::parse_uri({url.data(), url.size()});
    if (!parsed || !parsed->has_authority() || parsed->has_userinfo()) return std::nullopt;
    HttpOrigin origin;
    const auto scheme = parsed->scheme();
    if (scheme != "https" && scheme != "http") return std::nullopt;
    origin.tls = scheme == "https";
    const auto begin = url.find("://") + 3;
    const auto end = std::min(url.find_first_of("/?#", begin), url.size());
    origin.url = url.substr(0, end);
    origin.authority = url.substr(begin, end - begin);
    origin.host = parsed->host_address();
    const std::string_view own_port = origin.tls ? "443" : "80";
    origin.port = parsed->has_port() ? std::string{parsed->port()} : std::string{own_port};
    // Boost 1.81 ends a host of digits where everybody else goes on reading.
    const bool is_whole = origin.authority.find(origin.host) != std::string::npos &&
                          origin.authority.size() <= origin.host.size() + origin.port.size() + 3;
    const bool has_port = !parsed->has_port() || parsed->port_number() != 0;
    if (origin.host.empty() || origin.host.size() > host_bytes_max) return std::nullopt;
    if (!has_port || !is_whole) return std::nullopt;
    // Who signs the name of the server signs it without the scheme's own port, as libcurl sends it.
    if (parsed->has_port() && origin.port == own_port) {
        origin.authority.resize(origin.authority.size() - own_port.size() - 1);
    }
    return origin;
}

bool is_of(std::string_view url, const HttpOrigin& origin) {
    if (!url.starts_with(origin.url)) return false;
    const auto rest = url.substr(origin.url.size());
    return rest.empty() || rest[0] == '/' || rest[0] == '?' || rest[0] == '#';
}

bool write_target(std::string_view url, const HttpOrigin& origin, std::string& target) {
    const auto rest = url.substr(origin.url.size());
    const auto written = rest.substr(0, rest.find('#'));
    const bool is_clean =
        std::all_of(written.begin(), written.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (!is_clean) return false;
    target.clear();
    if (!written.starts_with('/')) target.push_back('/');
    target.append(written);
    return true;
}

}  // namespace fanfare
