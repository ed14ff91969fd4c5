#include "core/error/failure.hpp"
#include "core/handle/handle.hpp"
#include "core/wire/job.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

namespace fanfare {
namespace {

using Digest = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
constexpr std::size_t uuid_bytes = 16;

// Version 5 of "jobs.fanfare" in the DNS namespace. Never changes: ids in ledgers rest on it.
constexpr std::array<unsigned char, uuid_bytes> job_namespace{
    0x83, 0xee, 0x04, 0x47, 0x1f, 0xdc, 0x5b, 0xfa, 0xa6, 0x60, 0xfc, 0x1a, 0xf1, 0x7a, 0x60, 0xe2};

}  // namespace

std::string derived_id(std::string_view name) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    const Digest digest{EVP_MD_CTX_new()};
    const bool sound = digest && EVP_DigestInit_ex(digest.get(), EVP_sha1(), nullptr) == 1 &&
                       EVP_DigestUpdate(digest.get(), job_namespace.data(), uuid_bytes) == 1 &&
                       EVP_DigestUpdate(digest.get(), name.data(), name.size()) == 1 &&
                       EVP_DigestFinal_ex(digest.get(), hash.data(), nullptr) == 1;
    ensure(sound, "SHA-1 is available");
    hash[6] = static_cast<unsigned char>((hash[6] & 0x0fU) | 0x50U);  // Version 5.
    hash[8] = static_cast<unsigned char>((hash[8] & 0x3fU) | 0x80U);  // RFC 4122.
    std::string id;
    for (std::size_t i = 0; i < uuid_bytes; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) id += '-';
        id += fmt::format("{:02x}", hash[i]);
    }
    return id;
}

}  // namespace fanfare
