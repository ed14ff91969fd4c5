#include "tests/contract/provider_checks.hpp"

#include <gtest/gtest.h>

#include <ostream>

/// Who checks the checks: each planted bug must be found by the check made for it.
namespace fanfare::testing {
namespace {

using Check = Complaints (*)(const ProviderCase&, const Provider&);

/// Spoils a request after it was composed; `before` is what the request held earlier.
using Spoil = void (*)(HttpRequest& request, const HttpRequest& before);

struct PlantedBug {
    std::string name;
    std::string provider;
    Spoil spoil;
    Check check;
};

void PrintTo(const PlantedBug& bug, std::ostream* out) { *out << bug.name; }

/// A good provider with one bug.
class Spoiled final : public Provider {
public:
    Spoiled(std::unique_ptr<Provider> good, Spoil spoil) : good_{std::move(good)}, spoil_{spoil} {}

    [[nodiscard]] std::string_view type() const noexcept override { return good_->type(); }
    [[nodiscard]] Channel channel() const noexcept override { return good_->channel(); }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return good_->batch_max(); }
    void compose(const Batch& batch, HttpRequest& out) const override {
        const auto before = out;
        good_->compose(batch, out);
        spoil_(out, before);
    }
    [[nodiscard]] BatchAnswer read(const HttpAnswer& answer, std::size_t count,
                                   std::int64_t now_unix) const override {
        return good_->read(answer, count, now_unix);
    }

private:
    std::unique_ptr<Provider> good_;
    Spoil spoil_;
};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

void drop_recipient_variables(HttpRequest& request, const HttpRequest&) {
    const auto name = request.body.find("form-data; name=\"recipient-variables\"");
    const auto begin = request.body.rfind("--", name);
    const auto end = request.body.find("\r\n--", name);
    request.body.erase(begin, end + 2 - begin);
}

void forget_one_entry(HttpRequest& request, const HttpRequest&) {
    const auto first = request.body.find("\"user1000000@example.com\":{");
    const auto end = request.body.find("},", first);
    if (end != std::string::npos) request.body.erase(first, end + 2 - first);
}

void give_everyone_the_first_value(HttpRequest& request, const HttpRequest&) {
    replace_all(request.body, "Name1000001", "Name1000000");
}

void keep_old_body(HttpRequest& request, const HttpRequest& before) {
    request.body.insert(0, before.body);
}

void keep_old_headers(HttpRequest& request, const HttpRequest& before) {
    request.headers.insert(request.headers.end(), before.headers.begin(), before.headers.end());
}

void repeat_an_address(HttpRequest& request, const HttpRequest&) {
    replace_all(request.body, "user1000001@example.com", "user1000000@example.com");
}

void put_two_into_one_envelope(HttpRequest& request, const HttpRequest&) {
    const std::string lead = R"([{"email":"user1000000@example.com"})";
    replace_all(request.body, lead, lead + R"(,{"email":"user1000001@example.com"})");
}

PlantedBug unescaped(std::string provider, Spoil spoil) {
    return {"escapes_nothing_" + provider, provider, spoil, check_hostile_values};
}

const std::vector<PlantedBug>& planted_bugs() {
    static const std::vector<PlantedBug> bugs{
        {"drops_recipient_variables", "mailgun", drop_recipient_variables, check_privacy},
        {"forgets_one_entry", "mailgun", forget_one_entry, check_addresses},
        {"mixes_up_people_in_a_batch", "mailgun", give_everyone_the_first_value, check_privacy},
        {"mixes_up_people_in_forms", "twilio", give_everyone_the_first_value, check_privacy},
        {"repeats_an_address", "mailgun", repeat_an_address, check_addresses},
        {"keeps_old_body_mailgun", "mailgun", keep_old_body, check_residue},
        {"mixes_up_people_at_sendgrid", "sendgrid", give_everyone_the_first_value, check_privacy},
        {"puts_two_into_one_envelope", "sendgrid", put_two_into_one_envelope, check_privacy},
        {"keeps_old_body_sendgrid", "sendgrid", keep_old_body, check_residue},
        {"mixes_up_people_at_ses", "ses", give_everyone_the_first_value, check_privacy},
        {"keeps_old_body_ses", "ses", keep_old_body, check_residue},
        {"lets_literals_open_a_slot", "ses",
         [](HttpRequest& r, const HttpRequest&) { replace_all(r.body, "{{o}}", "{"); },
         check_hostile_literals},
        {"keeps_old_body_twilio", "twilio", keep_old_body, check_residue},
        {"keeps_old_body_fcm", "fcm", keep_old_body, check_residue},
        {"keeps_old_body_smtp", "smtp", keep_old_body, check_residue},
        {"undoes_quoted_printable", "smtp",
         [](HttpRequest& r, const HttpRequest&) { replace_all(r.body, "=3D", "="); },
         check_hostile_literals},
        {"says_another_recipient", "smtp",
         [](HttpRequest& r, const HttpRequest&) { r.mail->recipient = "user0@example.com"; },
         check_addresses},
        {"keeps_old_headers", "fcm", keep_old_headers, check_residue},
        {"keeps_old_headers_apns", "apns", keep_old_headers, check_residue},
        {"keeps_old_body_vonage", "vonage", keep_old_body, check_residue},
        {"mixes_up_people_at_vonage", "vonage", give_everyone_the_first_value, check_privacy},
        unescaped("vonage",
                  [](HttpRequest& r, const HttpRequest&) { replace_all(r.body, "%26", "&"); }),
        unescaped("vonage_messages",
                  [](HttpRequest& r, const HttpRequest&) { replace_all(r.body, "\\\"", "\""); }),
        unescaped("apns",
                  [](HttpRequest& r, const HttpRequest&) { replace_all(r.body, "\\\"", "\""); }),
        {"leaves_tokens_in_the_path_as_they_are", "apns",
         [](HttpRequest& r, const HttpRequest&) { replace_all(r.url, "%3A", ":"); },
         check_addresses},
        unescaped("mailgun",
                  [](HttpRequest& r, const HttpRequest&) { replace_all(r.body, "\\\"", "\""); }),
        unescaped("sendgrid",
                  [](HttpRequest& r, const HttpRequest&) { replace_all(r.body, "\\\"", "\""); }),
        {"leaves_markup_in_html_at_sendgrid", "sendgrid",
         [](HttpRequest& r, const HttpRequest&) { replace_all(r.body, "&lt;", "<"); },
         check_hostile_values},
        unescaped("ses", [](HttpRequest& r,
                            const HttpRequest&) { replace_all(r.body, "\\\\\\\"", "\""); }),
        {"leaves_markup_in_html_at_ses", "ses",
         [](HttpRequest& r, const HttpRequest&) { replace_all(r.body, "&lt;", "<"); },
         check_hostile_values},
        unescaped("fcm",
                  [](HttpRequest& r, const HttpRequest&) { replace_all(r.body, "\\\"", "\""); }),
        unescaped("twilio",
                  [](HttpRequest& r, const HttpRequest&) { replace_all(r.body, "%26", "&"); }),
        {"leaves_markup_in_html", "mailgun",
         [](HttpRequest& r, const HttpRequest&) { replace_all(r.body, "&lt;", "<"); },
         check_hostile_values},
        {"lets_values_hold_template_words", "mailgun",
         [](HttpRequest& r, const HttpRequest&) { replace_all(r.body, "\xE2\x81\xA0", ""); },
         check_hostile_values},
        {"lets_literals_hold_template_words", "mailgun",
         [](HttpRequest& r, const HttpRequest&) {
             replace_all(r.body, "%recipient.w0%", "unsubscribe_url");
         },
         check_hostile_literals},
        {"lets_line_breaks_into_parts", "mailgun",
         [](HttpRequest& r, const HttpRequest&) { replace_all(r.body, "a\nBcc", "a\r\nBcc"); },
         check_hostile_literals},
        {"is_never_the_same", "twilio",
         [](HttpRequest& r, const HttpRequest&) {
             static int count = 0;
             r.url += std::to_string(++count);
         },
         check_determinism},
    };
    return bugs;
}

class PlantedBugs : public ::testing::TestWithParam<PlantedBug> {};

TEST_P(PlantedBugs, AreFound) {
    const auto& bug = GetParam();
    for (const auto& its : provider_cases()) {
        if (its.name != bug.provider) continue;
        ASSERT_TRUE(bug.check(its, *its.make()).empty()) << "fails without the bug";
        const Spoiled spoiled{its.make(), bug.spoil};
        EXPECT_FALSE(bug.check(its, spoiled).empty());
    }
}

INSTANTIATE_TEST_SUITE_P(Each, PlantedBugs, ::testing::ValuesIn(planted_bugs()),
                         [](const ::testing::TestParamInfo<PlantedBug>& each) {
                             return each.param.name;
                         });

/// Believes every answer.
class Credulous final : public Provider {
public:
    [[nodiscard]] std::string_view type() const noexcept override { return "credulous"; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::email; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return 1; }
    void compose(const Batch& /*batch*/, HttpRequest& /*out*/) const override {}
    [[nodiscard]] BatchAnswer read(const HttpAnswer& answer, std::size_t /*count*/,
                                   std::int64_t /*now_unix*/) const override {
        BatchAnswer result;
        result.verdict = Verdict::ok;
        result.provider_id = "id";
        result.detail = answer.body;
        return result;
    }
};

TEST(CredulousProvider, IsFound) {
    EXPECT_FALSE(check_reading(provider_cases().front(), Credulous{}).empty());
}

/// Takes every 5xx for a word of the provider's: sent again, though it was taken.
class Hasty final : public Provider {
public:
    explicit Hasty(std::unique_ptr<Provider> good) : good_{std::move(good)} {}

    [[nodiscard]] std::string_view type() const noexcept override { return good_->type(); }
    [[nodiscard]] Channel channel() const noexcept override { return good_->channel(); }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return good_->batch_max(); }
    void compose(const Batch& batch, HttpRequest& out) const override {
        good_->compose(batch, out);
    }
    [[nodiscard]] BatchAnswer read(const HttpAnswer& answer, std::size_t count,
                                   std::int64_t now_unix) const override {
        auto result = good_->read(answer, count, now_unix);
        const bool is_fault = answer.status >= 500 && answer.status <= 599;
        if (is_fault && result.verdict == Verdict::ambiguous) result.verdict = Verdict::transient;
        return result;
    }

private:
    std::unique_ptr<Provider> good_;
};

TEST(HastyProvider, IsFound) {
    for (const auto& its : provider_cases()) {
        if (its.own_error.empty()) continue;
        EXPECT_FALSE(check_gateways(its, Hasty{its.make()}).empty()) << its.name;
    }
}

}  // namespace
}  // namespace fanfare::testing
