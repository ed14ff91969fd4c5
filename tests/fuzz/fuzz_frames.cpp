// Whatever a server of HTTP/2 sends, every exchange ends once and within its bounds. The first byte
// says how the rest is cut in two; where it is odd, the first exchange is given up in between.
#include "core/http/h2_session.hpp"
#include "core/http/limits.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace fanfare;

void check(bool kept) {
    if (!kept) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    const auto cut = size == 0 ? 0 : (size - 1) * data[0] / 255;
    const auto rest = bytes.substr(std::min<std::size_t>(size, 1));

    const HttpOrigin origin{
        .url = "https://h", .tls = true, .host = "h", .port = "443", .authority = "h"};
    const std::array<HttpRequest, 3> requests{
        HttpRequest{.url = "https://h/", .headers = {"A: b"}, .body = "body"},
        HttpRequest{.url = "https://h/", .headers = {}, .body = std::string(100'000, 'x')},
        HttpRequest{.url = "https://h/", .headers = {}, .body = {}, .get = true}};
    std::array<OpenExchange, 3> exchanges;
    for (std::size_t i = 0; i < exchanges.size(); ++i) {
        exchanges[i].request = &requests[i];
        exchanges[i].origin = &origin;
        exchanges[i].path = "/";
    }
    H2Session session{100};
    constexpr std::string_view settings{"\0\0\0\4\0\0\0\0\0", 9};
    session.receive(settings);
    std::size_t next = 0;
    std::size_t told = 0;
    std::string out;
    const auto turn = [&] {
        out.clear();
        session.gather(out, 256 * 1024, [&]() -> OpenExchange* {
            return next < exchanges.size() ? &exchanges[next++] : nullptr;
        });
        told += session.take_ended().size();
    };
    turn();
    session.ping();
    for (const auto part : {rest.substr(0, cut), rest.substr(cut)}) {
        session.receive(part);
        turn();
        if (session.is_over()) check(!session.has_room());
        const bool is_given_up = size > 0 && data[0] % 2 == 1 && next > 0 && !exchanges[0].ended;
        if (is_given_up) session.abandon(exchanges[0], "given up");
    }
    const auto begun = next;
    session.lose("lost", true);
    told += session.take_ended().size();
    check(told == begun && session.open() == 0);
    for (std::size_t i = 0; i < begun; ++i) {
        const auto& [transport, status, step, body, retry, reset, id, type, date, fault, took] =
            exchanges[i].answer;
        check(exchanges[i].ended && body.size() <= answer_bytes_max);
        if (transport == Transport::answered) check(status >= 200 && status <= 999);
        if (transport == Transport::not_sent) check(status == 0);
        check((transport == Transport::answered) == fault.empty());
    }
    return 0;
}
