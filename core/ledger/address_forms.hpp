#pragma once

#include "core/audience/address.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace fanfare::ledger {

/// The forms in which the ledger looks for an address; for its own sources. Two where the version
/// before compares another one than this does, else one.
class AddressForms {
public:
    explicit AddressForms(Channel channel) : channel_{channel} {}

    /// The first is the one that this version compares. Good until the next call.
    [[nodiscard]] std::span<const std::string> of(std::string_view sent) {
        write_compared_form(channel_, sent, forms_[0]);
        write_former_form(channel_, sent, forms_[1]);
        const std::size_t count = forms_[1] == forms_[0] ? 1 : 2;
        return {forms_.data(), count};
    }

private:
    Channel channel_;
    std::array<std::string, 2> forms_;  // Reused from one address to the next.
};

}  // namespace fanfare::ledger
