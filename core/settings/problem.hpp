#pragma once

#include <string>
#include <vector>

namespace fanfare {

/// One thing wrong with a configuration: where, what was found, what would be right.
struct Problem {
    std::string file;      // Or "environment FANFARE_KAFKA_BROKERS".
    int line = 0;          // 1-based; 0 when unknown (an environment variable, a missing key).
    std::string key;       // Dotted path: "accounts[0].rate.per_second".
    std::string value;     // As found; "" when missing. Never a secret.
    std::string expected;  // "a whole number from 1 to 1000".
    int column = 0;        // 1-based; only where the YAML itself is broken.
};

/// "config/fanfare.yaml:12: worker.plan_batch = 0: expected a whole number from 1 to 1000".
[[nodiscard]] std::string describe(const Problem& problem);

/// The same without what was found: of texts that strangers write.
[[nodiscard]] std::string for_log(const Problem& problem);

using Problems = std::vector<Problem>;

}  // namespace fanfare
