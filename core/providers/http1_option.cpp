#include "core/providers/http1_option.hpp"

#include <array>

namespace fanfare {

void check_http1_option(OptionReader& reader) {
    const auto engine = reader.text(http1_option.name);
    reader.require(http1_option.name, engine == "beast" || engine == "libcurl", "beast or libcurl");
}

bool wants_beast(const AccountSettings& account) {
    constexpr std::array docs{http1_option};
    return OptionReader{account, docs}.text(http1_option.name) != "libcurl";
}

}  // namespace fanfare
