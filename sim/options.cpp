#include "sim/options.hpp"

#include "core/program/commands.hpp"
#include "core/program/exit_codes.hpp"
#include "core/program/version.hpp"

#include <fstream>
#include <iterator>

namespace fanfare::sim {

namespace {

constexpr const char* about =
    "Simulator of e-mail, SMS and push providers, and the oracle of who was sent what.\n"
    "Serves all providers on both listeners (the path decides) and the oracle on its own.\n"
    "See docs/simulator.md.";

void add_server_options(const Command& app, Options& options) {
    app.option("--http-port", options.http_port, "Plain HTTP/1.1; 0: any free port");
    app.option("--https-port", options.https_port, "TLS with HTTP/2 and HTTP/1.1; 0: any");
    app.option("--admin-port", options.admin_port, "Control, oracle and metrics; 0: any");
    app.option("--smtp-port", options.smtp_port, "SMTP with STARTTLS; 0: any free port");
    app.option("--smtp-user", options.mail.user, "User name; empty: no login is needed");
    app.option("--smtp-password", options.mail.password, "Password");
    app.option("--address", options.address,
               "Where to listen; beyond loopback only in a network of your own")
        .shows_default()
        .ipv4();
    app.option("--certificate-name", options.certificate_name,
               "A further host name of the certificate, beside localhost")
        .checked([](const std::string& name) {
            const bool plain = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") ==
                               std::string::npos;
            return plain ? std::string{} : std::string{"a host name in lower case"};
        });
    app.option("--ports-file", options.ports_file,
               "Written once listening: {\"http\":1,\"https\":2,\"admin\":3,\"smtp\":4}");
    app.option("--ca-file", options.ca_file,
               "The authority of this run's certificate is written here (PEM)");
    app.option("--threads", options.threads, "Event loops").within(1, 64);
    app.option("--seed", options.seed, "Of all chance");
    app.option("--keep-messages", options.keep_messages,
               "Keep the last N requests for /oracle/calls and /oracle/messages; 0: none")
        .within(0, 1'000'000);
    app.option("--fault,--set", options.faults,
               "PROVIDER.SETTING=VALUE as in POST /control, for example "
               "mailgun.latency_ms=20 or '*.error_rate=0.01'; may be repeated");
    app.option("--webhook-ca-file", options.webhook_ca_file,
               "The authority of receivers that webhooks are posted to (PEM); empty: the "
               "system's");
    app.option("--connections-max", options.rules.connections_max, "Open connections a thread");
}

void add_provider_options(const Command& app, ProviderOptions& options) {
    app.option("--mailgun-key", options.mailgun_key, "API key");
    app.option("--mailgun-domain", options.mailgun_domain, "The only domain; empty: any");
    app.option("--twilio-sid", options.twilio_sid, "Account SID");
    app.option("--twilio-token", options.twilio_token, "Auth token");
    app.flag("--twilio-test-credentials", options.twilio_test_credentials,
             "Magic numbers; nothing counts as sent");
    app.option("--sendgrid-key", options.sendgrid_key, "API key");
    app.option("--ses-access-key", options.ses_access_key, "Access key id");
    app.option("--ses-secret-key", options.ses_secret_key,
               "Secret access key; signatures are verified with it");
    app.option("--ses-region", options.ses_region, "The only region; empty: any");
    app.option("--fcm-project", options.fcm_project, "The only project; empty: any");
    app.option("--fcm-public-key", options.fcm_public_key,
               "PEM file that JWT assertions must verify with; empty: any well-formed one");
    app.option("--fcm-token-lifetime", options.fcm_token_lifetime_s, "Seconds");
    app.option("--vonage-key", options.vonage_key, "API key");
    app.option("--vonage-secret", options.vonage_secret, "API secret");
    app.option("--vonage-signature-secret", options.vonage_signature_secret,
               "What requests to the SMS API may be signed with");
    app.option("--vonage-public-key", options.vonage_public_key,
               "PEM file that tokens of an application must verify with; empty: any");
    app.option("--apns-topic", options.apns_topic, "The only bundle id; empty: any");
    app.option("--apns-public-key", options.apns_public_key,
               "PEM file that provider tokens must verify with; empty: any well-formed one");
}

}  // namespace

std::variant<Options, int> parse_options(int argc, char** argv) {
    Options options;
    CommandLine line{about, "fanfare-sim"};
    line.shows_defaults();
    line.version(version());
    add_server_options(line.root(), options);
    add_provider_options(line.root(), options.providers);
    if (const auto code = line.read(argc, argv)) return *code;
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
            line.complain(flag, "cannot read " + *key);
            return exit_no_input;
        }
        *key = std::move(pem);
    }
    return options;
}

}  // namespace fanfare::sim
