#pragma once

#include "tests/contract/accounts.hpp"
#include "worker/send/spare_requests.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace fanfare::test {

/// One chunk of a channel: who is in it, where they are reached, and what they are told.
class ChunkCase {
public:
    ChunkCase(Channel channel, std::size_t people_max) : channel_{channel} {
        const std::vector<TemplateSource> sources{
            {"sale/sms.text.mustache", "Hello {{name}}, the show begins."},
            {"sale/email.subject.mustache", "Hello {{name}}"},
            {"sale/email.html.mustache", "<p>Hello {{name}}</p>"},
            {"sale/email.text.mustache", "Hello {{name}}"},
            {"sale/push.title.mustache", "Hello {{name}}"},
            {"sale/push.body.mustache", "The show begins."}};
        auto parsed = Templates::parse(sources, "/etc/fanfare/templates");
        job->templates = std::move(std::get<Templates>(parsed));
        kind.templates = "sale";
        kind.person_defaults = {{"name", "friend"}};
        job->kind = &kind;
        job->job.id = "0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11";
        if (channel == Channel::email) {
            job->unsubscribe_prefix = "https://shows.example.com/unsubscribe/" + job->job.id + ".";
            job->address_key = std::string(32, 'k');
        }
        claim.key = {job->job.id, channel, 7};
        claim.job = job;
        for (std::size_t i = 0; i < people_max; ++i) {
            ids_.push_back(fmt::format("person-{:012}", i));
            addresses_.push_back(address(i));
        }
    }

    /// What the ledger's and the contacts' rows say of the first `count`: one array, one result.
    void fill(std::size_t count, ledger::ChunkPeople& people, Resolved& resolved) const {
        const auto end = static_cast<std::ptrdiff_t>(count);
        people.recipients.elements.assign(ids_.begin(), ids_.begin() + end);
        for (auto* const bytes :
             {&people.outcomes, &people.reasons, &people.attempts, &people.causes}) {
            bytes->assign(count, '\0');
        }
        resolved.fates.assign(count, {});
        resolved.targets.reserve(count);
        for (std::uint32_t i = 0; i < count; ++i) {
            resolved.targets.push_back({i, 0, addresses_[i], addresses_[i]});
        }
    }
    void compose(const Provider& provider, const ledger::ChunkPeople& people,
                 const Resolved& resolved, ComposedRequests& requests) const {
        const ComposeContext context{provider, references, provider.batch_max(),
                                     testing::test_clock().now()};
        ASSERT_TRUE(compose_requests(claim, people, resolved, context, requests).has_value());
        ASSERT_FALSE(requests.requests.empty());
    }

    std::shared_ptr<JobContext> job = std::make_shared<JobContext>();
    Kind kind;
    Claim claim;
    References references{Secret{"a key of thirty-two bytes or more"}};

private:
    [[nodiscard]] std::string address(std::size_t number) const {
        switch (channel_) {
            case Channel::email:
                return fmt::format("person{:07}@example.com", number);
            case Channel::sms:
                return fmt::format("+1555{:07}", number);
            case Channel::push:
                break;
        }
        return fmt::format("{:064x}", number);
    }

    Channel channel_;
    std::vector<std::string> ids_;
    std::vector<std::string> addresses_;
};

}  // namespace fanfare::test
