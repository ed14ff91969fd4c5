#include "core/wire/descriptor.hpp"

#include "core/domain/uuid.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace fanfare {
namespace {

namespace json = boost::json;
constexpr std::size_t descriptor_bytes_max = 256;

}  // namespace

std::string encode_descriptor(const ledger::ChunkKey& key) {
    return fmt::format(R"({{"version":1,"job":"{}","channel":"{}","chunk":{}}})", key.job,
                       to_string(key.channel), key.number);
}

std::optional<ledger::ChunkKey> decode_descriptor(std::string_view bytes) {
    if (bytes.size() > descriptor_bytes_max) return std::nullopt;
    boost::system::error_code fault;
    const json::value value = json::parse(json::string_view{bytes.data(), bytes.size()}, fault);
    if (fault || !value.is_object()) return std::nullopt;
    const auto& object = value.get_object();
    const auto* const version = object.if_contains("version");
    const auto* const job = object.if_contains("job");
    const auto* const channel = object.if_contains("channel");
    const auto* const chunk = object.if_contains("chunk");
    if (version == nullptr || !version->is_int64() || version->get_int64() != 1 || job == nullptr ||
        !job->is_string() || channel == nullptr || !channel->is_string() || chunk == nullptr ||
        !chunk->is_int64() || object.size() != 4) {
        return std::nullopt;
    }
    const std::string_view id{job->get_string().data(), job->get_string().size()};
    const auto known = parse_channel({channel->get_string().data(), channel->get_string().size()});
    const auto number = chunk->get_int64();
    if (!is_uuid(id) || !known || number < 0 || number > 2'000'000'000) return std::nullopt;
    return ledger::ChunkKey{std::string{id}, *known, static_cast<std::int32_t>(number)};
}

}  // namespace fanfare
