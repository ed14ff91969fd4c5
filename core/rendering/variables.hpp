#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/vocabulary.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare {

// What a text may speak of beside the job's own data, and how a person's own values are written:
// one place for what is sent and for what is previewed.

/// A variable of the job that is a moment.
using NamedMoment = std::pair<std::string, TimePoint>;

/// Those of the `names` that the job's variables have as moments.
[[nodiscard]] std::vector<NamedMoment> find_moments(std::span<const std::string> names,
                                                    const std::map<std::string, std::string>& data);

/// The job's variables as the texts of one locale read them ("" is the default's, English): with
/// "starts_in" beside each "starts_at", and with "starts_at_there" beside each "starts_at_zone":
/// the same moment in a zone of the job's own.
[[nodiscard]] std::map<std::string, std::string> shared_variables(
    const std::map<std::string, std::string>& data, std::span<const NamedMoment> moments,
    TimePoint now, Channel channel, std::string_view template_locale);

/// A moment in a reader's zone and in the language of the text around it: readers of a language
/// that has no texts read English with English months. Their region counts where the language is
/// theirs. In an SMS, letters that GSM-7 lacks lose their accents: one would double the price of
/// the text.
[[nodiscard]] std::string moment_for_reader(TimePoint moment, std::string_view time_zone,
                                            Channel channel, std::string_view template_locale,
                                            std::string_view reader_locale);

/// What an app needs to open the right page: the job's link, and its variables named "..._id".
[[nodiscard]] std::map<std::string, std::string> push_data(
    const std::map<std::string, std::string>& data);

}  // namespace fanfare
