#pragma once

#include "sim/http/message.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace fanfare::sim {

/// A send by either API, as far as answers, events and persons see it.
struct VonageMessage {
    std::string to;  // Without '+'.
    std::string from;
    std::string text;
    std::string reference;  // client-ref or client_ref, as given.
    std::string callback;
    bool unicode = false;
};

/// The status of the SMS API for a form, credentials aside; 0: `message` is filled.
[[nodiscard]] int read_vonage_form(const std::vector<Field>& fields, VonageMessage& message);

/// What is wrong with a body of the Messages API; an empty code: `message` is filled.
struct VonageProblem {
    std::string_view code;
    std::string detail;
};
[[nodiscard]] VonageProblem read_vonage_json(const boost::json::object& body,
                                             VonageMessage& message);

/// What the person gets to see: characters that the encoding does not have are '?'.
[[nodiscard]] std::string shown_text(const VonageMessage& message);

/// "<job>.<chunk>..." of a reference, whether compact or not.
[[nodiscard]] std::string whole_reference(std::string_view reference);

}  // namespace fanfare::sim
