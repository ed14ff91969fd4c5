#include "core/crypto/digest.hpp"
#include "core/wire/job.hpp"

#include <fmt/format.h>

namespace fanfare {
namespace {

constexpr std::size_t uuid_bytes = 16;

// Version 5 of "jobs.fanfare" in the DNS namespace. Never changes: ids in ledgers rest on it.
constexpr std::string_view job_namespace{
    "\x83\xee\x04\x47\x1f\xdc\x5b\xfa\xa6\x60\xfc\x1a\xf1\x7a\x60\xe2", uuid_bytes};

}  // namespace

std::string derived_id(std::string_view name) {
    auto hash = compute_digest(Digest::sha1, std::string{job_namespace}.append(name));
    hash.resize(uuid_bytes);
    hash[6] = static_cast<char>((hash[6] & 0x0f) | 0x50);  // Version 5.
    hash[8] = static_cast<char>((hash[8] & 0x3f) | 0x80);  // RFC 4122.
    auto id = hex(hash);
    for (const std::size_t dash : {8U, 13U, 18U, 23U}) id.insert(dash, 1, '-');
    return id;
}

std::string digest_of_order(Job asked) {
    asked.id.clear();
    asked.idempotency_key.clear();
    asked.source.clear();
    return hex(compute_digest(Digest::sha256, encode_job(asked)));
}

std::string key_of_source(std::string_view kind, std::string_view source, std::string_view key) {
    // A source with a "/" could end in the middle of somebody else's key: its length says where.
    const bool is_plain = !source.empty() && source.find('/') == std::string_view::npos;
    auto joined = is_plain ? fmt::format("{}/{}/{}", kind, source, key)
                           : fmt::format("{}//{}:{}/{}", kind, source.size(), source, key);
    return joined.size() <= Job::key_bytes_max ? joined : derived_id(joined);
}

}  // namespace fanfare
