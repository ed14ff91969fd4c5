#include "sim/options.hpp"

#include "core/program/exit_codes.hpp"
#include "core/program/version.hpp"

#include <CLI/CLI.hpp>

#include <fstream>
#include <iterator>

namespace fanfare::sim {

namespace {

constexpr const char* about =
    "Simulator of e-mail, SMS and push providers, and the oracle of who was sent what.\n"
    "Serves all providers on both listeners (the path decides) and the oracle on its own.\n"
    "See docs/simulator.md.";

void add_server_options(CLI::App& app, Options& options) {
    app.add_option("--http-port", options.http_port, "Plain HTTP/1.1; 0: any free port");
    app.add_option("--https-port", options.https_port, "TLS with HTTP/2 and HTTP/1.1; 0: any");
    app.add_option("--admin-port", options.admin_port, "Control, oracle and metrics; 0: any");
    app.add_option("--smtp-port", options.smtp_port, "SMTP with STARTTLS; 0: any free port");
    app.add_option("--smtp-user", options.mail.user, "User name; empty: no login is needed");
    app.add_option("--smtp-password", options.mail.password, "Password");
    app.add_option("--address", options.address,
                   "Where to listen; beyond loopback only in a network of your own")
        ->capture_default_str()
        ->check(CLI::ValidIPV4);
    app.add_option("--certificate-name", options.certificate_name,
                   "A further host name of the certificate, beside localhost")
        ->check([](const std::string& name) {
            const bool plain = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") ==
                               std::string::npos;
            return plain ? std::string{} : std::string{"a host name in lower case"};
        });
    app.add_option("--ports-file", options.ports_file,
                   "Written once listening: {\"http\":1,\"https\":2,\"admin\":3,\"smtp\":4}");
    app.add_option("--ca-file", options.ca_file,
                   "The authority of this run's certificate is written here (PEM)");
    app.add_option("--threads", options.threads, "Event loops")->check(CLI::Range(1, 64));
    app.add_option("--seed", options.seed, "Of all chance");
    app.add_option("--keep-messages", options.keep_messages,
                   "Keep the last N requests for /oracle/calls and /oracle/messages; 0: none")
        ->check(CLI::Range(0, 1'000'000));
    app.add_option("--fault,--set", options.faults,
                   "PROVIDER.SETTING=VALUE as in POST /control, for example "
                   "mailgun.latency_ms=20 or '*.error_rate=0.01'; may be repeated");
    app.add_option("--webhook-ca-file", options.webhook_ca_file,
                   "The authority of receivers that webhooks are posted to (PEM); empty: the "
                   "system's");
    app.add_option("--connections-max", options.rules.connections_max, "Open connections a thread");
}

void add_provider_options(CLI::App& app, ProviderOptions& options) {
    app.add_option("--mailgun-key", options.mailgun_key, "API key");
    app.add_option("--mailgun-domain", options.mailgun_domain, "The only domain; empty: any");
    app.add_option("--twilio-sid", options.twilio_sid, "Account SID");
    app.add_option("--twilio-token", options.twilio_token, "Auth token");
    app.add_flag("--twilio-test-credentials", options.twilio_test_credentials,
                 "Magic numbers; nothing counts as sent");
    app.add_option("--sendgrid-key", options.sendgrid_key, "API key");
    app.add_option("--ses-access-key", options.ses_access_key, "Access key id");
    app.add_option("--ses-secret-key", options.ses_secret_key,
                   "Secret access key; signatures are verified with it");
    app.add_option("--ses-region", options.ses_region, "The only region; empty: any");
    app.add_option("--fcm-project", options.fcm_project, "The only project; empty: any");
    app.add_option("--fcm-public-key", options.fcm_public_key,
                   "PEM file that JWT assertions must verify with; empty: any well-formed one");
    app.add_option("--fcm-token-lifetime", options.fcm_token_lifetime_s, "Seconds");
    app.add_option("--vonage-key", options.vonage_key, "API key");
    app.add_option("--vonage-secret", options.vonage_secret, "API secret");
    app.add_option("--vonage-signature-secret", options.vonage_signature_secret,
                   "What requests to the SMS API may be signed with");
    app.add_option("--vonage-public-key", options.vonage_public_key,
                   "PEM file that tokens of an application must verify with; empty: any");
    app.add_option("--apns-topic", options.apns_topic, "The only bundle id; empty: any");
    app.add_option("--apns-public-key", options.apns_public_key,
                   "PEM file that provider tokens must verify with; empty: any well-formed one");
}

}  // namespace

std::variant<Options, int> parse_options(int argc, char** argv) {
    Options options;
    CLI::App app{about, "fanfare-sim"};
    app.option_defaults()->always_capture_default();
    app.set_version_flag("--version", version());
    add_server_options(app, options);
    add_provider_options(app, options.providers);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? exit_ok : exit_usage;
    }
    auto& its = options.providers;
    const std::pair<const char*, std::string*> keys[] = {
        {"--fcm-public-key", &its.fcm_public_key},
        {"--vonage-public-key", &its.vonage_public_key},
        {"--apns-public-key", &its.apns_public_key}};
    for (const auto& [flag, key] : keys) {
        if (key->empty()) continue;
        std::ifstream file{*key};
        std::string pem{std::istreambuf_iterator<char>{file}, {}};
        if (pem.empty()) {
            app.exit(CLI::ValidationError{flag, "cannot read " + *key});
            return exit_no_input;
        }
        *key = std::move(pem);
    }
    return options;
}

}  // namespace fanfare::sim
