#include "sim/simulator.hpp"

#include "sim/admin/admin.hpp"
#include "sim/admin/pages.hpp"
#include "sim/certificate.hpp"
#include "sim/http/server.hpp"
#include "sim/provider_handler.hpp"
#include "sim/smtp/listener.hpp"
#include "sim/webhooks/sns_endpoint.hpp"
#include "sim/webhooks/webhook_sender.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>
#include <boost/asio/signal_set.hpp>
#include <boost/json/parse.hpp>

#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace fanfare::sim {

namespace {

namespace asio = boost::asio;

// Another process waits for the file: it must never see half of it.
void write_atomically(const std::filesystem::path& path, std::string_view content) {
    auto draft = path;
    draft += fmt::format(".{}", ::getpid());
    {
        std::ofstream file{draft, std::ios::binary};
        file << content;
        if (!file.flush()) throw std::runtime_error{"cannot write " + draft.string()};
    }
    std::filesystem::rename(draft, path);
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
    static constexpr unsigned char ours[] = "\x02h2\x08http/1.1";
    unsigned char* found = nullptr;
    const auto result =
        SSL_select_next_proto(&found, chosen_size, ours, sizeof ours - 1, offered, offered_size);
    *chosen = found;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void prepare_tls(asio::ssl::context& tls, const Certificate& certificate) {
    tls.use_certificate_chain(asio::buffer(certificate.certificate_pem));
    tls.use_private_key(asio::buffer(certificate.key_pem), asio::ssl::context::pem);
    SSL_CTX_set_alpn_select_cb(tls.native_handle(), choose_protocol, nullptr);
    SSL_CTX_set_mode(tls.native_handle(), SSL_MODE_RELEASE_BUFFERS);
}

// "mailgun.latency_ms=20": the value is JSON, or else a string.
void apply_fault(SimulatorState& simulator, const std::string& text) {
    const auto dot = text.find('.');
    const auto equals = text.find('=');
    if (dot == text.npos || equals == text.npos || dot > equals) {
        throw std::invalid_argument{"--fault wants PROVIDER.SETTING=VALUE, not " + text};
    }
    const auto provider = text.substr(0, dot);
    const auto value = text.substr(equals + 1);
    boost::system::error_code error;
    auto parsed = boost::json::parse(value, error);
    if (error) parsed = boost::json::string{value};
    const boost::json::object change{{text.substr(dot + 1, equals - dot - 1), parsed}};
    const auto problem = change_settings(simulator, {{provider, change}});
    if (!problem.empty()) throw std::invalid_argument{"--fault " + text + ": " + problem};
}

Keys webhook_keys(const Options& options, std::uint16_t https_port) {
    Keys keys;
    keys.twilio_sid = options.providers.twilio_sid;
    keys.twilio_token = options.providers.twilio_token;
    const auto& name = options.certificate_name;
    keys.sns_url = fmt::format("https://{}:{}/sns", name.empty() ? "localhost" : name, https_port);
    return keys;
}

void allow_many_files() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

void run_simulator(const Options& options) {
    allow_many_files();
    SimulatorState simulator{make_providers(options.providers), options.seed,
                             options.keep_messages};
    for (const auto& fault : options.faults) apply_fault(simulator, fault);

    const auto certificate = make_certificate(options.certificate_name);
    asio::ssl::context tls{asio::ssl::context::tls_server};
    prepare_tls(tls, certificate);

    ProviderHandler handler{simulator, system_clock()};
    SnsEndpoint endpoint{simulator.webhook_queue, handler};
    Admin admin{simulator};
    Server server{options.threads, system_clock(), options.rules, options.address};
    const auto http = server.listen(options.http_port, endpoint, nullptr);
    const auto https = server.listen(options.https_port, endpoint, &tls);
    const auto control = server.listen(options.admin_port, admin, nullptr);
    // A context of its own: mail knows no ALPN.
    asio::ssl::context mail_tls{asio::ssl::context::tls_server};
    mail_tls.use_certificate_chain(asio::buffer(certificate.certificate_pem));
    mail_tls.use_private_key(asio::buffer(certificate.key_pem), asio::ssl::context::pem);
    SmtpListener mail{server.loop(), handler, mail_tls, options.mail};
    const auto smtp = mail.listen(options.address, options.smtp_port);

    simulator.webhook_queue.set_keys(webhook_keys(options, https));
    // Its thread begins before the server's and ends after them.
    const WebhookSender webhook_sender{simulator.webhook_queue, system_clock(),
                                       options.webhook_ca_file};

    asio::signal_set signals{server.loop(), SIGINT, SIGTERM};
    signals.async_wait([&server](boost::system::error_code error, int) {
        if (!error) server.stop();
    });
    // Ready: from here on others may call us.
    if (!options.ca_file.empty()) write_atomically(options.ca_file, certificate.authority_pem);
    const auto ports = fmt::format("{{\"http\": {}, \"https\": {}, \"admin\": {}, \"smtp\": {}}}\n",
                                   http, https, control, smtp);
    if (!options.ports_file.empty()) write_atomically(options.ports_file, ports);
    std::fputs(fmt::format("fanfare-sim listens on {}: {}", options.address, ports).c_str(),
               stderr);
    server.run();
    for (auto& parked : simulator.controls) parked.parked.clear();  // They hold connections.
}

}  // namespace fanfare::sim
