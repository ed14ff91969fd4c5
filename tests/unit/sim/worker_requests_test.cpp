#include "sim/providers/sendgrid/sendgrid.hpp"
#include "sim/providers/ses/ses.hpp"
#include "tests/unit/sim/provider_handler_case.hpp"

// Behind the other: from here on fanfare::testing hides the framework's.
#include "tests/contract/accounts.hpp"

#include <array>

/// What the worker writes is what the simulator takes, and the other way round.
namespace fanfare::sim {
namespace {

class WorkerRequests : public ProviderHandlerCase {
protected:
    /// A call of the worker's to a.., b.. and c@example.com.
    OwnedRequest call(const fanfare::Provider& provider) {
        Content content;
        content.variables = {"name"};
        content.subject = {{"Hi ", Slot{0, Escape::none}}};
        content.text = {{"{Hello} ", Slot{0, Escape::none}}};
        content.html = {{"<p>", Slot{0, Escape::html}}, {"</p>", {}}};
        const std::array<std::string_view, 3> names{"Ann", "B\"\\ob", "{{v0}} <c>"};
        const std::array messages{Message{"1", "a@example.com", &names[0], "0.AAAAAAAAAAA"},
                                  Message{"2", "b@example.com", &names[1], "1.BBBBBBBBBBB"},
                                  Message{"3", "c@example.com", &names[2], "2.CCCCCCCCCCC"}};
        const SendReference reference{"job", 7, "show.reminder", "https://h.example.com/u/job.7."};
        HttpRequest composed;
        provider.compose({content, messages, reference, 0}, composed);
        OwnedRequest request;
        const auto host = composed.url.find("://") + 3;
        const auto path = composed.url.find('/', host);
        request.path = composed.url.substr(path);
        request.headers.emplace_back("host", composed.url.substr(host, path - host));
        for (const auto& line : composed.headers) {
            const auto colon = line.find(": ");
            request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
        }
        request.body = composed.body;
        return request;
    }

    /// What the worker makes of the answer to that call.
    BatchAnswer answered(const fanfare::Provider& provider) {
        HttpAnswer answer;
        answer.transport = Transport::answered;
        answer.status = reaction_.answer.status;
        answer.body = reaction_.answer.body;
        for (const auto& [name, value] : reaction_.answer.headers) {
            if (name == "x-message-id") answer.message_id = value;
            if (name == "x-amzn-errortype") answer.error_type = value;
            if (name == "x-ratelimit-reset") answer.rate_limit_reset = value;
            if (name == "date") answer.date = value;
        }
        return provider.read(answer, 3, test_now_s);
    }

    boost::json::object summary_of(const std::string& name) {
        return boost::json::parse(admin("GET", "/oracle/summary")).at(name).as_object();
    }

    void set(const std::string& settings) {
        admin("POST", "/control", "", settings);
        ASSERT_EQ(status_, 200);
    }

    std::unique_ptr<fanfare::Provider> sendgrid_ = testing::open(testing::sendgrid_account());
    std::unique_ptr<fanfare::Provider> ses_ = testing::open(testing::ses_account());
};

TEST_F(WorkerRequests, ReachEveryoneOnce) {
    for (const auto* const provider : {sendgrid_.get(), ses_.get()}) {
        send(call(*provider));
        EXPECT_EQ(answered(*provider).verdict, Verdict::ok) << reaction_.answer.body;
        const auto counts = summary_of(std::string{provider->type()});
        EXPECT_EQ(counts.at("people"), 3) << provider->type();
        EXPECT_EQ(counts.at("accepted"), 3);
        EXPECT_EQ(counts.at("leaks"), 0);
        EXPECT_EQ(counts.at("unfilled"), 0);
        const auto shown =
            boost::json::parse(admin("GET", "/oracle/messages", "address=c@example.com&job=job"));
        EXPECT_EQ(shown.at(0).at("text"), "{Hello} {{v0}} <c>");
        EXPECT_EQ(shown.at(0).at("html"), "<p>{{v0}} &lt;c&gt;</p>");
    }
}

TEST_F(WorkerRequests, SendGridRefusesACallAndNamesWhoIsToBlame) {
    set(R"({"sendgrid":{"fail_addresses":["a@example.com","c@example.com"]}})");
    send(call(*sendgrid_));
    const auto answer = answered(*sendgrid_);
    EXPECT_TRUE(answer.resend_rest);
    ASSERT_EQ(answer.exceptions.size(), 2U) << reaction_.answer.body;
    EXPECT_EQ(answer.exceptions[0].index, 0U);
    EXPECT_EQ(answer.exceptions[1].index, 2U);
    EXPECT_EQ(answer.exceptions[1].verdict, Verdict::suppress);
    EXPECT_EQ(summary_of("sendgrid").at("accepted"), 0);
    EXPECT_EQ(summary_of("sendgrid").at("refused"), 1);
}

TEST_F(WorkerRequests, SesRefusesSingleEntries) {
    set(R"({"ses":{"fail_addresses":["a@example.com","c@example.com"]}})");
    send(call(*ses_));
    EXPECT_EQ(reaction_.answer.status, 200);
    const auto answer = answered(*ses_);
    EXPECT_EQ(answer.verdict, Verdict::ok);
    ASSERT_EQ(answer.exceptions.size(), 2U) << reaction_.answer.body;
    EXPECT_EQ(answer.exceptions[0].verdict, Verdict::perm_rcpt);
    EXPECT_EQ(summary_of("ses").at("accepted"), 1);
    EXPECT_EQ(summary_of("ses").at("refused"), 2);
    EXPECT_EQ(admin("GET", "/oracle/accepted", "provider=ses"), "b@example.com\t1\n");
}

TEST_F(WorkerRequests, SesLosesAnswersOfThoseItTookOnly) {
    set(R"({"ses":{"fail_addresses":{"b@example.com":"INVALID_PARAMETER"},
                   "script":["lose_after","malformed","refuse"]}})");
    send(call(*ses_));
    EXPECT_EQ(reaction_.action, Reaction::Action::drop);
    EXPECT_EQ(summary_of("ses").at("accepted"), 2);
    send(call(*ses_));
    EXPECT_EQ(answered(*ses_).verdict, Verdict::ambiguous);
    EXPECT_EQ(summary_of("ses").at("accepted"), 4);
    set(R"({"ses":{"fail_addresses":[]}})");
    send(call(*ses_));
    EXPECT_EQ(answered(*ses_).exceptions.at(0).index, 0U) << "scripted: the first is refused";
    EXPECT_EQ(summary_of("ses").at("accepted"), 6);
}

TEST_F(WorkerRequests, HaveEventsThatNameThePersonAndTheirMessage) {
    for (const int which : {0, 1}) {
        auto request = call(which == 0 ? *sendgrid_ : *ses_);
        const auto provider = which == 0 ? make_sendgrid({}) : make_ses({});
        const std::vector<std::string_view> taken{"a@example.com", "c@example.com"};
        std::vector<Delivery> told;
        provider->describe(request.view(), {.now_s = test_now_s, .number = 9}, taken, told);
        ASSERT_EQ(told.size(), 2U);
        EXPECT_EQ(told[1].address, "c@example.com");
        const std::string reference = which == 0 ? "job.7.2.CCCCCCCCCCC" : "job_7_2_CCCCCCCCCCC";
        const std::pair<std::string, std::string> own{"fanfare", reference};
        EXPECT_EQ(told[1].data.back(), own);
        Checked checked;
        provider->check(request.view(), {.now_s = test_now_s, .number = 9}, checked);
        const auto said = which == 0 ? checked.answer.headers.at(0).second : checked.answer.body;
        EXPECT_NE(said.find(told[1].message_id), std::string::npos) << said;
    }
}

TEST_F(WorkerRequests, AreThrottledInEachManner) {
    set(R"({"*":{"script":["throttle"],"retry_after_s":9}})");
    send(call(*sendgrid_));
    EXPECT_EQ(answered(*sendgrid_).retry_after, std::chrono::seconds{9});
    send(call(*ses_));
    EXPECT_EQ(reaction_.answer.status, 400);
    EXPECT_EQ(answered(*ses_).verdict, Verdict::throttle);
}

TEST_F(WorkerRequests, AreSignedByTheServersClockOnceItRefusedOurs) {
    clock_.advance(std::chrono::minutes{20});
    send(call(*ses_));
    const auto refused = answered(*ses_);
    EXPECT_TRUE(refused.renew_credential) << reaction_.answer.body;
    HttpAnswer answer;
    for (const auto& [name, value] : reaction_.answer.headers) {
        if (name == "date") answer.date = value;
    }
    ses_->renew(answer);
    send(call(*ses_));
    EXPECT_EQ(answered(*ses_).verdict, Verdict::ok) << reaction_.answer.body;
}

}  // namespace
}  // namespace fanfare::sim
