#include "sim/providers/mailgun/describe.hpp"

#include "sim/providers/mailgun/render.hpp"

#include <boost/json/parse.hpp>

namespace fanfare::sim {

namespace json = boost::json;

void describe_mailgun(const Request& request, const std::string& id,
                      std::span<const std::string_view> recipients, std::vector<Delivery>& out) {
    std::string arena;
    std::vector<Field> fields;
    std::vector<Part> parts;
    if (!parse_mailgun_parts(request, arena, fields, parts)) return;
    json::object variables;
    std::string_view sender;
    for (const auto& part : parts) {
        if (part.name == "from") sender = part.value;
        if (part.name != "recipient-variables") continue;
        boost::system::error_code error;
        auto parsed = json::parse(part.value, error);
        if (!error && parsed.is_object()) variables = std::move(parsed.get_object());
    }
    static const json::object none;
    for (const auto address : recipients) {
        const auto* found = variables.if_contains(address);
        const bool is_own = found != nullptr && found->is_object();
        const auto& own = is_own ? found->get_object() : none;
        auto& delivery = out.emplace_back();
        delivery.scheme = Scheme::mailgun;
        delivery.address = address;
        delivery.message_id = id;
        delivery.sender = sender;
        for (const auto& part : parts) {
            if (!part.name.starts_with("v:")) continue;
            delivery.data.emplace_back(part.name.substr(2), substituted(part.value, address, own));
        }
    }
}

}  // namespace fanfare::sim
