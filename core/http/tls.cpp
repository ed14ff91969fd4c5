#include "core/http/tls.hpp"

#include "core/error/failure.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <boost/asio/ip/address.hpp>

#include <tuple>
#include <utility>

namespace fanfare {
namespace {

// As ALPN writes lists.
constexpr std::string_view only_h2{"\x02h2"};
constexpr std::string_view only_h1{"\x08http/1.1"};

std::string_view protocols(HttpVersion version) {
    return version == HttpVersion::h2 ? only_h2 : only_h1;
}

std::string last_tls_error() {
    const auto code = ERR_peek_last_error();
    const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason == nullptr ? "the connection broke" : reason;
}

}  // namespace

TlsContext make_tls_context(const std::filesystem::path& ca_file, HttpVersion version) {
    TlsContext made{SSL_CTX_new(TLS_client_method())};
    ensure(made != nullptr, "OpenSSL gives out contexts");
    SSL_CTX* const context = made.get();
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    const auto list = protocols(version);
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(list.data()),
                            static_cast<unsigned>(list.size()));
    const int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                       : SSL_CTX_load_verify_file(context, ca_file.c_str());
    ERR_clear_error();
    return loaded == 1 ? std::move(made) : TlsContext{};
}

TlsChannel::TlsChannel(SSL_CTX& context, const std::string& host, HttpVersion version)
    : ssl_{SSL_new(&context)},
      in_{BIO_new(BIO_s_mem())},
      out_{BIO_new(BIO_s_mem())},
      version_{version} {
    ensure(ssl_ != nullptr && in_ != nullptr && out_ != nullptr, "OpenSSL gives out memory");
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
    boost::system::error_code is_name;
    std::ignore = boost::asio::ip::make_address(host, is_name);
    X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl_.get());
    bool set = false;
    if (is_name) {
        X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        set = SSL_set1_host(ssl_.get(), host.c_str()) == 1 &&
              SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                       const_cast<char*>(host.c_str())) == 1;
    } else {
        set = X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1;
    }
    ensure(set, "OpenSSL takes the name to verify");
}

bool TlsChannel::refuse(std::string fault) {
    fault_ = "tls: " + std::move(fault);
    return false;
}

bool TlsChannel::is_patient(int result) {
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return true;
    closed_ = error == SSL_ERROR_ZERO_RETURN;
    if (closed_) return refuse("the server closed the connection");
    const auto verified = SSL_get_verify_result(ssl_.get());
    return refuse(verified != X509_V_OK ? X509_verify_cert_error_string(verified)
                                        : last_tls_error());
}

bool TlsChannel::shake_hands() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result != 1) return is_patient(result);
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
    const std::string_view chosen{reinterpret_cast<const char*>(protocol), size};
    const bool needs_none = version_ == HttpVersion::h1 && chosen.empty();
    if (!needs_none && chosen != protocols(version_).substr(1)) {
        return refuse(version_ == HttpVersion::h2
                          ? "the server does not speak HTTP/2 (it did not choose h2)"
                          : "the server does not speak HTTP/1.1");
    }
    ready_ = true;
    return true;
}

bool TlsChannel::receive(std::string_view bytes, std::string& plain) {
    BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    if (!ready_ && (!shake_hands() || !ready_)) return fault_.empty();
    while (true) {
        ERR_clear_error();
        const int got = SSL_read(ssl_.get(), record_.data(), static_cast<int>(record_.size()));
        if (got <= 0) return is_patient(got);
        plain.append(record_.data(), static_cast<std::size_t>(got));
    }
}

bool TlsChannel::holds_bytes() const {
    // A header by itself is with the state only: "RB", a body is read.
    return BIO_ctrl_pending(in_) > 0 || SSL_has_pending(ssl_.get()) == 1 ||
           std::string_view{SSL_rstate_string(ssl_.get())} == "RB";
}

bool TlsChannel::encrypt(std::string_view plain) {
    ERR_clear_error();
    const int written = SSL_write(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
    // Memory takes everything, and nobody negotiates anew.
    return written == static_cast<int>(plain.size()) || refuse(last_tls_error());
}

void TlsChannel::take(std::string& bytes) {
    char* begin = nullptr;
    const auto size = BIO_get_mem_data(out_, &begin);
    bytes.append(begin, static_cast<std::size_t>(size));
    std::ignore = BIO_reset(out_);
}

}  // namespace fanfare
