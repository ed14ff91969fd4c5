#include "core/providers/private_key.hpp"

#include "core/error/failure.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace fanfare {
namespace {

using Bio = Handle<BIO, BIO_free_all>;
using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

/// OpenSSL would ask at the terminal for the pass phrase of an encrypted key.
int no_pass_phrase(char*, int, int, void*) { return -1; }

}  // namespace

PrivateKey parse_private_key(std::string_view pem, const char* type) {
    const Bio source{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    if (!source) return nullptr;
    PrivateKey key{PEM_read_bio_PrivateKey(source.get(), nullptr, no_pass_phrase, nullptr)};
    // The queue of errors belongs to the thread; what is left in it would confuse the next caller.
    ERR_clear_error();
    if (key && EVP_PKEY_is_a(key.get(), type) != 1) return nullptr;
    return key;
}

std::string sign_sha256(EVP_PKEY& key, std::string_view input) {
    const auto* const bytes = reinterpret_cast<const unsigned char*>(input.data());
    const DigestContext context{EVP_MD_CTX_new()};
    std::size_t length = 0;
    bool done =
        context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, &key) == 1;
    done = done && EVP_DigestSign(context.get(), nullptr, &length, bytes, input.size()) == 1;
    std::string signature(length, '\0');
    done = done && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()),
                                  &length, bytes, input.size()) == 1;
    ensure(done, "a key that was parsed can sign");
    signature.resize(length);
    return signature;
}

}  // namespace fanfare
