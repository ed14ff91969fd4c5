#include "sim/webhooks/sns_endpoint.hpp"

#include "sim/http/text.hpp"

namespace fanfare::sim {

namespace {

constexpr std::string_view confirmed =
    R"(<ConfirmSubscriptionResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">)"
    "<ConfirmSubscriptionResult><SubscriptionArn>test</SubscriptionArn>"
    "</ConfirmSubscriptionResult></ConfirmSubscriptionResponse>";

}  // namespace

void SnsEndpoint::handle(const Request& request, Reaction& reaction) {
    if (!request.path.starts_with("/sns/")) return next_.handle(request, reaction);
    auto& answer = reaction.answer;
    if (request.method != "GET") {
        answer.status = 405;
        return;
    }
    if (request.path.ends_with("/SimpleNotificationService-test.pem")) {
        answer.type = "application/x-pem-file";
        answer.body = webhook_queue_.keys()->sns_certificate_pem;
    } else if (query_parameter(request.query, "Action") == "ConfirmSubscription" &&
               webhook_queue_.confirm(query_parameter(request.query, "Token"))) {
        answer.type = "text/xml";
        answer.body = confirmed;
    } else {
        answer.status = 404;
    }
}

}  // namespace fanfare::sim
