#pragma once

#include "sim/http/connection.hpp"
#include "sim/providers/provider.hpp"
#include "sim/smtp/conversation.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace fanfare::sim {

/// The command line.
struct Options {
    std::string address = "127.0.0.1";  // Of the three listeners.
    std::string certificate_name;       // A further host name of the certificate.
    std::uint16_t http_port = 0;
    std::uint16_t https_port = 0;
    std::uint16_t admin_port = 0;
    std::uint16_t smtp_port = 0;
    MailRules mail{.user = "fanfare", .password = "0123456789abcdef"};
    std::filesystem::path ports_file;
    std::filesystem::path ca_file;
    unsigned threads = 1;
    std::uint64_t seed = 1;
    std::size_t keep_messages = 0;
    std::filesystem::path webhook_ca_file;  // Whom webhooks trust; empty: the system's.
    std::vector<std::string> faults;        // "mailgun.latency_ms=20"
    ProviderOptions providers;
    ConnectionRules rules;
};

/// The options, or the exit code after --help or a mistake (which has been printed).
[[nodiscard]] std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace fanfare::sim
