#include "sim/oracle/recorder.hpp"

namespace fanfare::sim {

namespace {

// "Basic YXBp..." -> "Basic ***".
std::string redacted(const Field& header) {
    if (!equal_ignoring_case(header.name, "authorization")) return std::string{header.value};
    return std::string{header.value.substr(0, header.value.find(' '))} + " ***";
}

}  // namespace

void Recorder::keep(ProviderIndex provider, const Request& request, std::string_view treatment,
                    int status, std::span<const std::string_view> accepted) {
    if (!on()) return;
    while (!calls_.empty() &&
           (calls_.size() >= calls_max_ || bytes_ + request.body.size() > bytes_max)) {
        bytes_ -= calls_.front().body.size();
        calls_.pop_front();
    }
    auto& call = calls_.emplace_back(Call{.number = ++number_,
                                          .provider = provider,
                                          .treatment = std::string{treatment},
                                          .status = status,
                                          .method = std::string{request.method},
                                          .path = std::string{request.path},
                                          .query = std::string{request.query},
                                          .headers = {},
                                          .body = std::string{request.body},
                                          .accepted = {accepted.begin(), accepted.end()}});
    bytes_ += call.body.size();
    for (const auto& header : request.headers) {
        call.headers.emplace_back(header.name, redacted(header));
    }
}

void Recorder::reset() {
    calls_.clear();
    bytes_ = 0;
}

}  // namespace fanfare::sim
