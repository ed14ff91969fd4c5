#pragma once

#include "core/handle/handle.hpp"

#include <openssl/ssl.h>

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

namespace fanfare {

/// What a connection speaks, with TLS or without.
enum class HttpVersion { h1, h2 };

using TlsContext = Handle<SSL_CTX, SSL_CTX_free>;

/// What the connections of a client share: TLS 1.2 or later, the server verified by `ca_file` or,
/// where that is empty, by the system's certificates, and one version of HTTP as the only protocol.
/// Nothing where the certificates cannot be read.
[[nodiscard]] TlsContext make_tls_context(const std::filesystem::path& ca_file,
                                          HttpVersion version);

/// One connection's TLS without I/O: bytes of the network in, bytes of the server out, and back.
///
/// Threads   one.
class TlsChannel {
public:
    /// `host` is a name or an address; the certificate must be for it.
    TlsChannel(SSL_CTX& context, const std::string& host, HttpVersion version);

    /// Takes bytes from the network and appends what they say to `plain`. False: it is over, see
    /// fault().
    [[nodiscard]] bool receive(std::string_view bytes, std::string& plain);
    /// Goes on with the handshake as far as it can now. False: it is over, see fault().
    [[nodiscard]] bool shake_hands();
    /// The server is who it should be, and speaks that version: it must choose HTTP/2; who chooses
    /// nothing speaks HTTP/1.1.
    [[nodiscard]] bool is_ready() const noexcept { return ready_; }
    /// Only when ready.
    [[nodiscard]] bool encrypt(std::string_view plain);
    /// Appends what is to be written to the network.
    void take(std::string& bytes);

    /// Bytes came that are not a whole record yet, and so have not been told by receive().
    [[nodiscard]] bool holds_bytes() const;
    /// The server has said that nothing follows: what came before is whole.
    [[nodiscard]] bool is_closed() const noexcept { return closed_; }
    [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

private:
    using Ssl = Handle<SSL, SSL_free>;
    [[nodiscard]] bool is_patient(int result);
    [[nodiscard]] bool refuse(std::string fault);

    Ssl ssl_;
    BIO* in_;  // Owned by ssl_, as is the next.
    BIO* out_;
    std::array<char, 16 * 1024> record_;  // What is read at once; TLS has no longer ones.
    HttpVersion version_;
    bool ready_ = false;
    bool closed_ = false;
    std::string fault_;
};

}  // namespace fanfare
