#pragma once

#include "producer/http/router.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <initializer_list>
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
        seconds_ = &prometheus::BuildHistogram()
                        .Name("fanfare_http_request_seconds")
                        .Help("From a request's head to the answer being known, by route")
                        .Register(*registry_);
        certificate_until_ =
            &prometheus::BuildGauge()
                 .Name("fanfare_http_certificate_expiry_timestamp_seconds")
                 .Help("When the server's certificate ends, Unix time; 0: it has none")
                 .Register(*registry_)
                 .Add({});
        auto& connections = prometheus::BuildCounter()
                                .Name("fanfare_http_connections_cut_total")
                                .Help("Connections that were closed because there were too many")
                                .Register(*registry_);
        made_room_ = &connections.Add({{"why", "made_room"}});
        no_room_ = &connections.Add({{"why", "no_room"}});
    }

    /// `route` is a pattern, never a path: labels are few.
    void answered(const std::string& route, int status, std::chrono::nanoseconds elapsed) {
        requests_->Add({{"route", route}, {"status", std::to_string(status)}}).Increment();
        seconds_->Add({{"route", route}}, seconds)
            .Observe(std::chrono::duration<double>(elapsed).count());
    }
    /// What is served is there from now on, as 0.
    void expect(const Router& router) {
        expect("none", {400, 404, 405, 408, 413, 414, 431, 500, 501, 503, 505});
        for (const auto& route : router.routes()) {
            expect(route->label(), {200, 201, 202, 400, 401, 403, 404, 405, 406, 408, 409, 413, 415,
                                    422, 429, 431, 500, 503});
        }
    }
    void certificate_until(double unix_s) { certificate_until_->Set(unix_s); }
    void made_room() { made_room_->Increment(); }
    void no_room() { no_room_->Increment(); }

private:
    void expect(const std::string& route, std::initializer_list<int> statuses) {
        for (const auto status : statuses) {
            requests_->Add({{"route", route}, {"status", std::to_string(status)}});
        }
        seconds_->Add({{"route", route}}, seconds);
    }

    static inline const prometheus::Histogram::BucketBoundaries seconds{0.001, 0.005, 0.025, 0.1,
                                                                        0.5,   2.5,   10};
    std::shared_ptr<prometheus::Registry> registry_;
    prometheus::Family<prometheus::Counter>* requests_;
    prometheus::Family<prometheus::Histogram>* seconds_;
    prometheus::Gauge* certificate_until_;
    prometheus::Counter* made_room_;
    prometheus::Counter* no_room_;
};

}  // namespace fanfare
