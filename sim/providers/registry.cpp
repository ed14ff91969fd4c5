#include "sim/providers/apns/apns.hpp"
#include "sim/providers/fcm/fcm.hpp"
#include "sim/providers/mailgun/mailgun.hpp"
#include "sim/providers/provider.hpp"
#include "sim/providers/sendgrid/sendgrid.hpp"
#include "sim/providers/ses/ses.hpp"
#include "sim/providers/smtp/smtp.hpp"
#include "sim/providers/twilio/twilio.hpp"
#include "sim/providers/vonage/vonage.hpp"

namespace fanfare::sim {

Providers make_providers(const ProviderOptions& options) {
    Providers providers;
    providers.push_back(make_mailgun(options));
    providers.push_back(make_twilio(options));
    providers.push_back(make_fcm(options));
    providers.push_back(make_fcm_token(options));
    providers.push_back(make_sendgrid(options));
    providers.push_back(make_ses(options));
    providers.push_back(make_vonage(options));
    providers.push_back(make_apns(options));
    providers.push_back(make_smtp());
    return providers;
}

void SimulatedProvider::describe(const Request&, const CheckContext&,
                                 std::span<const std::string_view>, std::vector<Delivery>&) const {}

void Checked::clear() {
    kind = Kind::bad;
    answer.clear();
    reference = {};
    recipients.clear();
    places.clear();
    refused = false;
    leak = false;
    taken = false;
    unfilled = 0;
    arena.clear();
    fields.clear();
    refusals.clear();
}

std::string_view Checked::keep(std::string_view text) {
    const auto begin = arena.size();
    arena.append(text);
    return std::string_view{arena}.substr(begin);
}

}  // namespace fanfare::sim
