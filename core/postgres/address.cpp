#include "core/postgres/address.hpp"

#include "core/domain/printable.hpp"
#include "core/domain/this_machine.hpp"
#include "core/handle/handle.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <string_view>

namespace fanfare::postgres {
namespace {

using Options = Handle<PQconninfoOption, PQconninfoFree>;

/// libpq takes "host= password=x" for a host called "password=x": so nothing is shown that may be
/// another field.
std::string shown(std::string_view value) {
    const bool may_be_another = value.find('=') != std::string_view::npos;
    return may_be_another ? "(not shown)" : printable(value);
}

void take(const PQconninfoOption* option, bool instead, Address& address) {
    for (; option != nullptr && option->keyword != nullptr; ++option) {
        if (option->val == nullptr) continue;
        const std::string_view name{option->keyword};
        auto* const field = name == "host"       ? &address.host
                            : name == "hostaddr" ? &address.host
                            : name == "port"     ? &address.port
                            : name == "dbname"   ? &address.database
                            : name == "sslmode"  ? &address.sslmode
                                                 : nullptr;
        if (field != nullptr && (instead || field->empty())) *field = shown(option->val);
    }
}

std::string first(const std::string& list) { return list.substr(0, list.find(',')); }

bool is_socket(std::string_view host) {
    return host.empty() || host.starts_with('/') || host.starts_with('@');
}

bool is_here(std::string_view host) { return is_socket(host) || is_this_machine(host); }

bool are_all_here(std::string_view hosts) {
    while (true) {
        const auto comma = hosts.find(',');
        if (!is_here(hosts.substr(0, comma))) return false;
        if (comma == std::string_view::npos) return true;
        hosts.remove_prefix(comma + 1);
    }
}

}  // namespace

std::string Address::text() const {
    return fmt::format("{}:{}/{}", is_socket(host) ? "(local socket)" : host, port, database);
}

Address parse_address(const Secret& url) {
    Address address;
    char* fault = nullptr;
    const Options given{PQconninfoParse(url.reveal().c_str(), &fault)};
    if (fault != nullptr) PQfreemem(fault);  // It may quote the string, and with it a password.
    if (!given) return address;
    const Options defaults{PQconndefaults()};
    take(defaults.get(), false, address);
    take(given.get(), true, address);
    address.is_remote = !are_all_here(address.host);
    address.host = first(address.host);
    address.port = first(address.port);
    return address;
}

}  // namespace fanfare::postgres
