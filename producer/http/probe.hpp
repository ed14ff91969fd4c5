#pragma once

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <memory>
#include <string>

namespace fanfare {

/// What the HTTP server does, in numbers.
///
/// Threads   any.
class HttpProbe {
public:
    explicit HttpProbe(std::shared_ptr<prometheus::Registry> registry)
        : registry_{std::move(registry)} {
        requests_ = &prometheus::BuildCounter()
                         .Name("fanfare_http_requests_total")
                         .Help("Requests by route and status")
                         .Register(*registry_);
        auto& connections = prometheus::BuildCounter()
                                .Name("fanfare_http_connections_cut_total")
                                .Help("Connections that were closed because there were too many")
                                .Register(*registry_);
        made_room_ = &connections.Add({{"why", "made_room"}});
        no_room_ = &connections.Add({{"why", "no_room"}});
    }

    /// `route` is a pattern, never a path: labels are few.
    void answered(const std::string& route, int status) {
        requests_->Add({{"route", route}, {"status", std::to_string(status)}}).Increment();
    }
    void made_room() { made_room_->Increment(); }
    void no_room() { no_room_->Increment(); }

private:
    std::shared_ptr<prometheus::Registry> registry_;
    prometheus::Family<prometheus::Counter>* requests_;
    prometheus::Counter* made_room_;
    prometheus::Counter* no_room_;
};

}  // namespace fanfare
