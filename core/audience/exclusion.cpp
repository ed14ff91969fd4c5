#include "core/audience/exclusion.hpp"

namespace fanfare {
namespace {

/// The least stands.
int rank(Exclusion exclusion) noexcept {
    switch (exclusion) {
        case Exclusion::none:
            return 0;
        case Exclusion::duplicate:
            return 1;
        case Exclusion::too_often:
            return 2;
        case Exclusion::unsubscribed:
            return 3;
        case Exclusion::opted_out:
            return 4;
        case Exclusion::suppressed:
            return 5;
        case Exclusion::invalid_address:
            return 6;
        case Exclusion::no_address:
            return 7;
        case Exclusion::gone:
            return 8;
    }
    return 8;
}

}  // namespace

Exclusion of_person(Exclusion one, Exclusion other) noexcept {
    return rank(other) < rank(one) ? other : one;
}

Fate to_fate(Exclusion exclusion) noexcept {
    switch (exclusion) {
        case Exclusion::none:
            return {};
        case Exclusion::gone:
            return {Outcome::no_address, Reason::recipient_gone};
        case Exclusion::opted_out:
        case Exclusion::unsubscribed:
            return {Outcome::opted_out, Reason::consent_withdrawn};
        case Exclusion::no_address:
            return {Outcome::no_address, Reason::address_missing};
        case Exclusion::invalid_address:
            return {Outcome::refused, Reason::address_invalid};
        case Exclusion::suppressed:
            return {Outcome::suppressed, Reason::on_suppression_list};
        case Exclusion::too_often:
            return {Outcome::suppressed, Reason::too_often};
        case Exclusion::duplicate:
            return {Outcome::suppressed, Reason::duplicate_address};
    }
    return {};
}

bool is_unreachable(Reason reason) noexcept {
    return reason == Reason::address_missing || reason == Reason::address_invalid ||
           reason == Reason::on_suppression_list;
}

}  // namespace fanfare
