#include "core/crypto/digest.hpp"
#include "core/wire/job.hpp"

namespace fanfare {
namespace {

constexpr std::size_t uuid_bytes = 16;

// Version 5 of "jobs.fanfare" in the DNS namespace. Never changes: ids in ledgers rest on it.
constexpr std::string_view job_namespace{
    "\x83\xee\x04\x47\x1f\xdc\x5b\xfa\xa6\x60\xfc\x1a\xf1\x7a\x60\xe2", uuid_bytes};

}  // namespace

std::string derived_id(std::string_view name) {
    auto hash = digest_of(Digest::sha1, std::string{job_namespace}.append(name));
    hash.resize(uuid_bytes);
    hash[6] = static_cast<char>((hash[6] & 0x0f) | 0x50);  // Version 5.
    hash[8] = static_cast<char>((hash[8] & 0x3f) | 0x80);  // RFC 4122.
    auto id = hex(hash);
    for (const std::size_t dash : {8U, 13U, 18U, 23U}) id.insert(dash, 1, '-');
    return id;
}

}  // namespace fanfare
