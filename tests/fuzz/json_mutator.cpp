// Changes inputs as JSON, not as bytes: members go, are doubled, swap values or get one of another
// type, so that what lies behind the parser is reached. What stands before the first brace or
// bracket stays; every other time, and where there is no JSON, libFuzzer changes bytes as ever.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

namespace json = boost::json;

void list_values(json::value& value, std::vector<json::value*>& out) {
    out.push_back(&value);
    if (auto* const object = value.if_object()) {
        for (auto& member : *object) list_values(member.value(), out);
    } else if (auto* const array = value.if_array()) {
        for (auto& element : *array) list_values(element, out);
    }
}

json::value make_value(std::mt19937& random) {
    const std::array<json::value, 12> odd{nullptr,
                                          true,
                                          -1,
                                          0,
                                          INT64_MAX,
                                          1e308,
                                          "",
                                          "\xe2\x80\xae",
                                          "2026-01-01T00:00:00Z",
                                          json::array{},
                                          json::object{},
                                          json::array{json::object{{"a", 1}}}};
    return odd[random() % odd.size()];
}

/// The text inside, changed by libFuzzer.
void mutate_text(json::string& text) {
    std::array<std::uint8_t, 256> bytes{};
    const auto size = std::min(text.size(), bytes.size());
    std::memcpy(bytes.data(), text.data(), size);
    const auto now = LLVMFuzzerMutate(bytes.data(), size, bytes.size());
    text.assign(reinterpret_cast<const char*>(bytes.data()), now);
}

void mutate_value(json::value& root, std::mt19937& random) {
    std::vector<json::value*> all;
    list_values(root, all);
    auto& value = *all[random() % all.size()];
    auto* const object = value.if_object();
    auto* const array = value.if_array();
    const auto choice = random() % 4;
    if (choice == 0) {
        value = make_value(random);
    } else if (choice == 1 && array != nullptr && !array->empty()) {
        array->push_back((*array)[random() % array->size()]);
    } else if (choice == 1 && object != nullptr && !object->empty()) {
        object->erase(object->begin() + static_cast<std::ptrdiff_t>(random() % object->size()));
    } else if (choice == 2) {
        const json::value other = *all[random() % all.size()];
        value = other;
    } else if (auto* const text = value.if_string()) {
        mutate_text(*text);
    } else if (object != nullptr) {
        object->emplace("x" + std::to_string(random() % 4), make_value(random));
    } else {
        value = make_value(random);
    }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
    std::mt19937 random{seed};
    const std::string text{reinterpret_cast<const char*>(data), size};
    const auto begin = text.find_first_of("{[");
    if (random() % 2 == 0 || begin == std::string::npos) return LLVMFuzzerMutate(data, size, most);
    boost::system::error_code fault;
    auto value = json::parse(text.substr(begin), fault);
    if (fault) return LLVMFuzzerMutate(data, size, most);
    mutate_value(value, random);
    const auto changed = text.substr(0, begin) + json::serialize(value);
    if (changed.size() > most) return LLVMFuzzerMutate(data, size, most);
    std::memcpy(data, changed.data(), changed.size());
    return changed.size();
}
