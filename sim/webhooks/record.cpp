#include "sim/webhooks/record.hpp"

#include <cstring>

namespace fanfare::sim {

namespace {

void append(std::string_view text, std::string& out) {
    const auto size = static_cast<std::uint32_t>(text.size());
    char bytes[sizeof size];
    std::memcpy(bytes, &size, sizeof size);
    out.append(bytes, sizeof bytes);
    out.append(text);
}

std::string take(std::string_view& packed) {
    std::uint32_t size = 0;
    std::memcpy(&size, packed.data(), sizeof size);
    std::string text{packed.substr(sizeof size, size)};
    packed.remove_prefix(sizeof size + size);
    return text;
}

}  // namespace

std::string pack(const Delivery& delivery) {
    std::size_t size = 3 * sizeof(std::uint32_t) + delivery.message_id.size() +
                       delivery.sender.size() + delivery.callback.size();
    for (const auto& [name, value] : delivery.data) {
        size += 2 * sizeof(std::uint32_t) + name.size() + value.size();
    }
    std::string out;
    out.reserve(size);
    append(delivery.message_id, out);
    append(delivery.sender, out);
    append(delivery.callback, out);
    for (const auto& [name, value] : delivery.data) {
        append(name, out);
        append(value, out);
    }
    return out;
}

Delivery unpack(std::string_view packed) {
    Delivery delivery;
    delivery.message_id = take(packed);
    delivery.sender = take(packed);
    delivery.callback = take(packed);
    while (!packed.empty()) {
        auto name = take(packed);
        delivery.data.emplace_back(std::move(name), take(packed));
    }
    return delivery;
}

}  // namespace fanfare::sim
