// Seeded random bytes and random jobs. A failure prints the seed's iteration.
#include "support.hpp"

#include "core/settings/report.hpp"
#include "core/settings/yaml_tree.hpp"
#include "core/systems/query.hpp"

#include <algorithm>
#include <random>

namespace fanfare {
namespace {

using testing::file_text;
using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>{0, bound - 1}(random);
}

// Code points of every UTF-8 length; NUL is the caller's to leave out.
std::string random_text(Random& random, std::size_t characters_max, bool controls) {
    static const std::vector<std::string> characters{
        "a", "Z", "0", "\"", "\\", "/", "\u00e9", "\u266b", "\U0001f514", " ", "{", "}"};
    std::string text;
    const auto count = 1 + below(random, characters_max);
    for (std::size_t i = 0; i < count; ++i) text += characters[below(random, characters.size())];
    if (controls && below(random, 4) == 0) text += "\n\t\x7f";
    return text;
}

std::string random_name(Random& random) {
    std::string name(1, static_cast<char>('a' + below(random, 26)));
    for (auto i = below(random, 12); i > 0; --i) name += "abz019_"[below(random, 7)];
    return name;
}

std::map<std::string, std::string> random_scalars(Random& random) {
    std::map<std::string, std::string> scalars;
    for (auto i = below(random, 5); i > 0; --i) {
        scalars[random_name(random)] = random_text(random, 30, true);
    }
    return scalars;
}

Job random_job(Random& random) {
    Job job;
    job.idempotency_key = random_text(random, 40, false);
    job.id = derived_id(job.idempotency_key);
    job.system = random_name(random);
    job.kind = random_name(random);
    if (below(random, 2) == 0) job.subject = random_text(random, 20, false);
    if (below(random, 2) == 0) {
        for (auto i = 1 + below(random, 8); i > 0; --i) {
            job.recipients.push_back(random_text(random, 20, false));
        }
        std::sort(job.recipients.begin(), job.recipients.end());
        job.recipients.erase(std::unique(job.recipients.begin(), job.recipients.end()),
                             job.recipients.end());
    } else {
        if (below(random, 2) == 0) job.audience = random_name(random);
        job.params = random_scalars(random);
    }
    for (const auto channel : channels) {
        if (below(random, 2) == 0) job.channels.push_back(channel);
    }
    job.lane_from_kind = below(random, 3) == 0;
    if (!job.lane_from_kind) job.lane = lanes[below(random, lane_count)];
    job.data = random_scalars(random);
    const auto expiry = below(random, 3);
    if (expiry == 1) {
        job.expires_at =
            TimePoint{std::chrono::microseconds{below(random, 253'402'300'799'999'999)}};
    }
    if (expiry == 2) job.ttl = std::chrono::seconds{1 + below(random, 31'536'000)};
    if (below(random, 2) == 0) job.source = random_text(random, 20, false);
    return job;
}

TEST(JobProperty, EveryJobComesBackFromItsBytes) {
    Random random{1};
    for (int i = 0; i < 5'000; ++i) {
        const auto job = random_job(random);
        const auto bytes = encode_job(job);
        const auto back = decode_job(bytes);
        ASSERT_TRUE(std::holds_alternative<Job>(back)) << i << ": " << bytes << "\n"
                                                       << std::get<Rejection>(back).message;
        ASSERT_EQ(std::get<Job>(back), job) << i << ": " << bytes;
        ASSERT_EQ(encode_job(std::get<Job>(back)), bytes) << i;
    }
}

// Replaces, drops, doubles or swaps a few bytes.
std::string damaged(std::string bytes, Random& random) {
    for (auto i = 1 + below(random, 4); i > 0 && !bytes.empty(); --i) {
        const auto at = below(random, bytes.size());
        switch (below(random, 4)) {
            case 0:
                bytes[at] = static_cast<char>(below(random, 256));
                break;
            case 1:
                bytes.erase(at, 1 + below(random, 8));
                break;
            case 2:
                bytes.insert(at, bytes.substr(at, below(random, 16)));
                break;
            default:
                std::swap(bytes[at], bytes[below(random, bytes.size())]);
                break;
        }
    }
    return bytes;
}

std::string noise(Random& random) {
    std::string bytes(below(random, 200), '\0');
    for (auto& c : bytes) c = static_cast<char>(below(random, 256));
    return bytes;
}

TEST(JobProperty, DamagedBytesGiveAJobOrADocumentedCode) {
    Random random{2};
    const auto& docs = rejection_docs();
    for (int i = 0; i < 40'000; ++i) {
        const auto bytes =
            i % 8 == 0 ? noise(random) : damaged(encode_job(random_job(random)), random);
        const auto result = decode_job(bytes);
        if (const auto* job = std::get_if<Job>(&result)) {
            ASSERT_EQ(std::get<Job>(decode_job(encode_job(*job))), *job) << i;
            continue;
        }
        const auto& code = std::get<Rejection>(result).code;
        ASSERT_TRUE(std::any_of(docs.begin(), docs.end(),
                                [&](const auto& doc) { return doc.code == code; }))
            << i << ": " << code;
    }
}

TEST(SettingsProperty, DamagedFilesGiveSettingsOrProblemsWithAPlace) {
    Random random{3};
    const auto whole = file_text(std::string{FANFARE_SOURCE_DIR} + "/config/fanfare.yaml");
    const auto environment = testing::ledger_environment();
    for (int i = 0; i < 1'500; ++i) {
        const auto text = i % 8 == 0 ? noise(random) : damaged(whole, random);
        for (const auto& problem : testing::problems_of(parse_settings("f", text, environment))) {
            ASSERT_FALSE(problem.key.empty() || problem.expected.empty()) << describe(problem);
        }
    }
}

TEST(QueryProperty, DamagedQueriesAreBoundOrRefused) {
    Random random{4};
    const std::string whole =
        "WITH a AS (SELECT ':x', \":y\", $t$:z$t$ -- :c\n) /* /* :d */ */ SELECT :user_id::uuid, "
        "E'\\':e', :horizon FROM a WHERE id = ANY(:recipients);";
    for (int i = 0; i < 40'000; ++i) {
        const auto bound = bind_parameters(i % 8 == 0 ? noise(random) : damaged(whole, random));
        const auto* const query = std::get_if<BoundQuery>(&bound);
        if (query == nullptr) continue;
        ASSERT_FALSE(query->sql.empty());
        ASSERT_EQ(query->sql.find('\0'), std::string::npos);
        const bool again = std::holds_alternative<BoundQuery>(bind_parameters(query->sql));
        ASSERT_EQ(again, query->parameters.empty()) << i << ": " << query->sql;
    }
}

}  // namespace
}  // namespace fanfare
