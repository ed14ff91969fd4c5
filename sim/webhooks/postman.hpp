#pragma once

#include "core/clock/clock.hpp"
#include "sim/webhooks/postbag.hpp"

#include <filesystem>
#include <memory>

namespace fanfare::sim {

/// Posts what the postbag has due, over HTTP or HTTPS.
///
/// Bounds    15 s a post; the postbag's concurrency.
/// Threads   its own one from construction to destruction.
/// Lifetime  postbag and clock outlive it. What is in flight at the end is cut.
class Postman {
public:
    /// `ca_file`: whom to trust beside nobody; empty: the system's authorities.
    Postman(Postbag& postbag, const Clock& clock, const std::filesystem::path& ca_file);
    ~Postman();
    Postman(const Postman&) = delete;
    Postman& operator=(const Postman&) = delete;

private:
    class Round;
    std::unique_ptr<Round> round_;
};

/// The request of a parcel, on its way to `connect` if that names another place than its URL.
[[nodiscard]] HttpRequest addressed(const Parcel& parcel);

}  // namespace fanfare::sim
