#include "core/providers/http2_option.hpp"

#include <array>

namespace fanfare {

void check_http2_option(OptionReader& reader) {
    const auto engine = reader.text(http2_option.name);
    reader.require(http2_option.name, engine == "nghttp2" || engine == "libcurl",
                   "nghttp2 or libcurl");
}

bool wants_nghttp2(const AccountSettings& account) {
    constexpr std::array docs{http2_option};
    const auto base_url = account.options.find("base_url");
    if (base_url != account.options.end() && base_url->second.starts_with("http://")) return false;
    return OptionReader{account, docs}.text(http2_option.name) != "libcurl";
}

}  // namespace fanfare
