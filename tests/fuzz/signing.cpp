#include "tests/fuzz/signing.hpp"

#include "sim/webhooks/keys.hpp"
#include "sim/webhooks/signing.hpp"

namespace fanfare::fuzzing {
namespace {

/// The simulator's, which signs its webhooks in the same way.
const sim::Keys& keys() {
    static const sim::Keys made = [] {
        sim::Keys keys;
        sim::make_key_pairs(keys);
        return keys;
    }();
    return made;
}

}  // namespace

const std::string& curve_public_key() {
    static const auto key = sim::sendgrid_public_key(keys());
    return key;
}

std::string sign_on_curve(std::string_view bytes) {
    return sim::sign(keys().sendgrid, "sha256", bytes);
}

const std::string& sns_certificate() { return keys().sns_certificate_pem; }

std::string sign_as_sns(Digest digest, std::string_view bytes) {
    return sim::sign(keys().sns, digest == Digest::sha1 ? "sha1" : "sha256", bytes);
}

}  // namespace fanfare::fuzzing
