#include "tests/support/http_server.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>

#include <array>
#include <charconv>
#include <stdexcept>

namespace fanfare::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

std::size_t content_length(std::string_view head) {
    constexpr std::string_view name = "\r\nContent-Length: ";
    const auto at = head.find(name);
    std::size_t length = 0;
    if (at != std::string_view::npos) {
        const auto* const begin = head.data() + at + name.size();
        std::from_chars(begin, head.data() + head.size(), length);
    }
    return length;
}

void check(bool good, const char* what) {
    if (!good) throw std::runtime_error{std::string{"OpenSSL: "} + what};
}

/// The one that the server speaks, where the client offers it.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void* own) {
    const auto& spoken = *static_cast<const std::string*>(own);
    const auto found =
        SSL_select_next_proto(const_cast<unsigned char**>(chosen), size,
                              reinterpret_cast<const unsigned char*>(spoken.data()),
                              static_cast<unsigned>(spoken.size()), offered, offered_size);
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

template <class Write>
std::string pem(Write write) {
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> out{BIO_new(BIO_s_mem()), BIO_free_all};
    check(write(out.get()) == 1, "write PEM");
    char* bytes = nullptr;
    const auto count = BIO_get_mem_data(out.get(), &bytes);
    return {bytes, static_cast<std::size_t>(count)};
}

}  // namespace

template <class Stream>
class HttpServer::StreamLine final : public Line {
public:
    StreamLine(Stream stream, HttpServer& server) : stream_{std::move(stream)}, server_{server} {}

    std::optional<std::string> read_request() override {
        error_code fault;
        const auto head =
            asio::read_until(stream_, asio::dynamic_buffer(buffer_), "\r\n\r\n", fault);
        if (fault) return std::nullopt;
        const auto whole = head + content_length(std::string_view{buffer_}.substr(0, head));
        if (!fill(whole)) return std::nullopt;
        std::string request = buffer_.substr(0, whole);
        buffer_.erase(0, whole);
        server_.note(request);
        return request;
    }
    bool read_bytes(std::size_t count) override {
        const bool good = fill(count);
        buffer_.erase(0, count);
        return good;
    }
    std::optional<std::string> read(std::size_t count) override {
        if (!fill(count)) return std::nullopt;
        std::string bytes = buffer_.substr(0, count);
        buffer_.erase(0, count);
        return bytes;
    }
    void write(std::string_view bytes) override {
        error_code ignored;
        asio::write(stream_, asio::buffer(bytes.data(), bytes.size()), ignored);
    }
    void close() override {
        error_code ignored;
        stream_.lowest_layer().shutdown(tcp::socket::shutdown_both, ignored);
    }
    void reset() override {
        error_code ignored;
        auto& socket = stream_.lowest_layer();
        socket.set_option(asio::socket_base::linger{true, 0}, ignored);
        const auto handle = socket.native_handle();
        {
            const std::lock_guard guard{server_.mutex_};
            server_.open_.erase(handle);
        }
        socket.close(ignored);
    }
    Stream& stream() { return stream_; }

private:
    bool fill(std::size_t count) {
        if (buffer_.size() >= count) return true;
        error_code fault;
        asio::read(stream_, asio::dynamic_buffer(buffer_),
                   asio::transfer_exactly(count - buffer_.size()), fault);
        return buffer_.size() >= count;
    }

    Stream stream_;
    HttpServer& server_;
    std::string buffer_;
};

HttpServer::HttpServer(Script script)
    : script_{std::move(script)},
      acceptor_{context_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}},
      port_{acceptor_.local_endpoint().port()},
      acceptor_thread_{[this] { accept_loop(); }} {}

HttpServer::HttpServer(Script script, std::string_view certificate, std::string_view key,
                       std::string protocol)
    : script_{std::move(script)},
      tls_{std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server)},
      acceptor_{context_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}},
      port_{acceptor_.local_endpoint().port()} {
    tls_->use_certificate_chain(asio::buffer(certificate.data(), certificate.size()));
    tls_->use_private_key(asio::buffer(key.data(), key.size()), asio::ssl::context::pem);
    if (!protocol.empty()) {
        protocol_ = static_cast<char>(protocol.size()) + protocol;
        SSL_CTX_set_alpn_select_cb(tls_->native_handle(), choose_protocol, &protocol_);
    }
    acceptor_thread_ = std::thread{[this] { accept_loop(); }};
}

HttpServer::~HttpServer() {
    stopping_ = true;
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    acceptor_thread_.join();
    {
        const std::lock_guard guard{mutex_};
        for (const auto handle : open_) ::shutdown(handle, SHUT_RDWR);
    }
    for (auto& worker : workers_) worker.join();
}

std::string HttpServer::url(std::string_view path) const {
    return fmt::format("{}://127.0.0.1:{}{}", tls_ ? "https" : "http", port_, path);
}

std::vector<std::string> HttpServer::requests() const {
    const std::lock_guard guard{mutex_};
    return requests_;
}

std::string HttpServer::answer(int status, std::string_view body, std::string_view headers) {
    return fmt::format("HTTP/1.1 {} Told\r\n{}Content-Length: {}\r\n\r\n{}", status, headers,
                       body.size(), body);
}

void HttpServer::accept_loop() {
    while (!stopping_) {
        error_code fault;
        tcp::socket socket{context_};
        acceptor_.accept(socket, fault);
        if (fault || stopping_) return;
        const int connection = connections_++;
        {
            const std::lock_guard guard{mutex_};
            open_.insert(socket.native_handle());
        }
        workers_.emplace_back([this, connection, accepted = std::move(socket)]() mutable {
            serve(std::move(accepted), connection);
        });
    }
}

void HttpServer::serve(tcp::socket socket, int connection) {
    const auto handle = socket.native_handle();
    const auto forget = [&] {
        const std::lock_guard guard{mutex_};
        open_.erase(handle);
    };
    if (!tls_) {
        StreamLine<tcp::socket> line{std::move(socket), *this};
        script_(line, connection);
        forget();
        return;
    }
    asio::ssl::stream<tcp::socket> stream{std::move(socket), *tls_};
    error_code fault;
    stream.handshake(asio::ssl::stream_base::server, fault);
    StreamLine<asio::ssl::stream<tcp::socket>> line{std::move(stream), *this};
    if (!fault) script_(line, connection);
    forget();
}

void HttpServer::note(std::string request) {
    const std::lock_guard guard{mutex_};
    requests_.push_back(std::move(request));
}

Certificate make_certificate(const std::string& alternative_name) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"),
                                                                  EVP_PKEY_free};
    const std::unique_ptr<X509, decltype(&X509_free)> certificate{X509_new(), X509_free};
    check(key && certificate, "make a key");
    X509* const x = certificate.get();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3'600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86'400);
    X509_set_pubkey(x, key.get());
    X509_NAME* const name = X509_get_subject_name(x);
    const std::array<unsigned char, 4> common{'t', 'e', 's', 't'};
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common.data(), common.size(), -1, 0);
    X509_set_issuer_name(x, name);
    for (const auto& [kind, value] :
         {std::pair<int, std::string>{NID_subject_alt_name, alternative_name},
          std::pair<int, std::string>{NID_basic_constraints, "CA:TRUE"}}) {
        const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension{
            X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()), X509_EXTENSION_free};
        check(extension != nullptr, "make an extension");
        X509_add_ext(x, extension.get(), -1);
    }
    check(X509_sign(x, key.get(), EVP_sha256()) > 0, "sign");
    return {pem([&](BIO* out) { return PEM_write_bio_X509(out, x); }), pem([&](BIO* out) {
                return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr,
                                                nullptr);
            })};
}

std::string_view body_of(std::string_view request) {
    return request.substr(request.find("\r\n\r\n") + 4);
}

}  // namespace fanfare::test
