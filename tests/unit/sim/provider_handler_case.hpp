#pragma once

#include "core/clock/clock.hpp"
#include "sim/admin/admin.hpp"
#include "sim/provider_handler.hpp"
#include "tests/unit/sim/provider_case.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <string>

namespace fanfare::sim {

/// A simulator without sockets, its clock standing still.
class ProviderHandlerCase : public testing::Test {
protected:
    static OwnedRequest sms(const std::string& to, const std::string& reference = "job.1") {
        return {
            .path = "/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json",
            .headers = {{"authorization",
                         "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTowMTIzNDU2Nzg5YWJj"
                         "ZGVmMDEyMzQ1Njc4OWFiY2RlZg=="},
                        {"content-type", "application/x-www-form-urlencoded"}},
            .body = "To=%2B" + to +
                    "&From=Fanfare&Body=Hi&StatusCallback=https://h.example/?ref%3D" + reference};
    }

    /// Sends and, unless it is parked or silent, ends the exchange.
    const Reaction& send(OwnedRequest request) {
        reaction_.clear();
        handler_.handle(request.view(), reaction_);
        const bool over = reaction_.action != Reaction::Action::park &&
                          reaction_.action != Reaction::Action::silence;
        if (over) handler_.ended(reaction_.ticket);
        return reaction_;
    }

    std::string admin(const std::string& method, const std::string& path,
                      const std::string& query = "", const std::string& body = "") {
        Reaction reaction;
        admin_.handle({.method = method, .path = path, .query = query, .headers = {}, .body = body},
                      reaction);
        status_ = reaction.answer.status;
        while (reaction.answer.more && reaction.answer.more(reaction.answer.body)) {
        }
        return reaction.answer.body;
    }

    boost::json::object summary(const std::string& query = "") {
        return boost::json::parse(admin("GET", "/oracle/summary", query)).at("twilio").as_object();
    }

    void control(const std::string& settings) {
        admin("POST", "/control", "", "{\"twilio\":" + settings + "}");
        ASSERT_EQ(status_, 200);
    }

    ManualClock clock_{TimePoint{std::chrono::seconds{test_now_s}}};
    SimulatorState simulator_{make_providers({}), 1, 10};
    ProviderHandler handler_{simulator_, clock_};
    Admin admin_{simulator_};
    Reaction reaction_;
    int status_ = 0;
};

}  // namespace fanfare::sim
