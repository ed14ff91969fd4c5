#pragma once

#include "core/http/exchange.hpp"

#include <boost/json/value.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Reads a request as the vendor would, without any of our writing code: what would each
/// person get to see?
namespace fanfare::testing {

/// Everything one person gets: "to", "subject", "text", "html", headers, data.
struct Delivery {
    std::string address;
    std::map<std::string, std::string> seen;
};

struct Reading {
    std::vector<Delivery> deliveries;
    std::string error;  // Why the vendor would refuse the request; "" if it would not.
};

[[nodiscard]] Reading read_mailgun(const HttpRequest& request);
[[nodiscard]] Reading read_sendgrid(const HttpRequest& request);
[[nodiscard]] Reading read_ses(const HttpRequest& request);
[[nodiscard]] Reading read_smtp(const HttpRequest& request);
[[nodiscard]] Reading read_twilio(const HttpRequest& request);
[[nodiscard]] Reading read_fcm(const HttpRequest& request);
[[nodiscard]] Reading read_vonage_sms(const HttpRequest& request);
[[nodiscard]] Reading read_vonage_messages(const HttpRequest& request);
[[nodiscard]] Reading read_apns(const HttpRequest& request);

/// The parts of a multipart body in order; empty where it is malformed in any way.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> read_multipart(
    const HttpRequest& request);

/// The fields of a form-encoded body in order.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> read_form(std::string_view body);

/// A form's or path's text without its %xx.
[[nodiscard]] std::string decode_percent(std::string_view text);

/// Flattens a JSON value: {"a":{"b":"c"}} is "a.b" -> "c".
void flatten_json(const boost::json::value& value, const std::string& path,
                  std::map<std::string, std::string>& out);

/// The value of "Name: value"; "" where there is none, "twice" where it is repeated.
[[nodiscard]] std::string header(const HttpRequest& request, std::string_view name);

}  // namespace fanfare::testing
