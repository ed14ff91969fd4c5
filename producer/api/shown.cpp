#include "producer/api/shown.hpp"

#include "producer/api/reply.hpp"

#include <boost/json/parse.hpp>

namespace fanfare::api {
namespace {

boost::json::value parsed(const std::string& text) {
    boost::system::error_code fault;
    auto value = boost::json::parse(text, fault);
    if (fault) return nullptr;
    return value;
}

}  // namespace

boost::json::object shown(const ledger::NotificationDetail& detail) {
    return {{"id", detail.id},
            {"system", detail.key.system},
            {"kind", detail.key.kind},
            {"subject", detail.key.subject},
            {"occurrence", detail.key.occurrence},
            {"due_at", detail.due_at},
            {"expires_at", text_or_null(detail.expires_at)},
            {"params", parsed(detail.params)},
            {"data", parsed(detail.data)},
            {"state", detail.state},
            {"origin", detail.origin},
            {"source", detail.source},
            {"cancelled_by", text_or_null(detail.cancelled_by)},
            {"created_at", detail.created_at},
            {"updated_at", detail.updated_at}};
}

}  // namespace fanfare::api
