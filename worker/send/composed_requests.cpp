#include "worker/send/composed_requests.hpp"

#include "core/audience/address.hpp"
#include "core/ledger/opt_outs.hpp"
#include "core/orders/order_rules.hpp"
#include "core/providers/unsubscribe.hpp"
#include "core/rendering/clean.hpp"
#include "core/rendering/segments.hpp"
#include "core/rendering/variables.hpp"
#include "core/time_zones/time_zone.hpp"

#include <fmt/format.h>
#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <map>
#include <unordered_map>

namespace fanfare {
namespace {

using Column = pqxx::row::size_type;

constexpr std::string_view unsubscribe_url = unsubscribe_variable;
constexpr std::size_t body_slack = 16;  // Bytes by which a message is longer than another.
constexpr std::size_t body_room_max = 1U << 20U;

/// Where one variable of a content comes from.
struct Origin {
    std::optional<Column> column;     // Of the contact query ...
    const TimePoint* time = nullptr;  // ... or a moment, in the reader's zone ...
    bool is_link = false;             // ... or the person's own link to unsubscribe.
    std::string_view fallback;        // For a missing or empty value.
};

std::string_view get_text(const pqxx::result& rows, std::int32_t row,
                          std::optional<Column> column) {
    if (!column) return {};
    const auto field = rows[static_cast<pqxx::result::size_type>(row)][*column];
    return field.is_null() ? std::string_view{} : std::string_view{field.c_str(), field.size()};
}

/// What everyone of one locale reads, but for what is their own.
Result<Content> render(const JobContext& job, Channel channel, std::string_view locale,
                       std::span<const std::string> personal, TimePoint now) {
    const auto shared = shared_variables(job.job.data, job.times, now, channel, locale);
    return job.templates.render(job.kind->templates, channel, locale, shared, personal);
}

SendReference to_reference(const JobContext& job, const ledger::ChunkKey& chunk) {
    SendReference reference{job.job.id, static_cast<std::uint32_t>(chunk.number), job.job.kind, {}};
    if (chunk.channel == Channel::email && !job.unsubscribe_prefix.empty()) {
        reference.unsubscribe_prefix = fmt::format("{}{}.", job.unsubscribe_prefix, chunk.number);
    }
    return reference;
}

void compose_as(const SendReference& reference, const JobContext& job, const Provider& provider,
                const ComposedRequests::Group& group, ComposedRequest& composed) {
    std::int64_t expires_at = 0;
    if (job.job.expires_at) {
        expires_at =
            std::chrono::duration_cast<std::chrono::seconds>(job.job.expires_at->time_since_epoch())
                .count();
    }
    provider.compose({.content = group.content,
                      .messages = {group.messages.data() + composed.first, composed.count},
                      .reference = reference,
                      .expires_at_unix = expires_at},
                     composed.request);
}

/// Composes the requests of one chunk; lives for one call.
class Writer {
public:
    Writer(const Claim& claim, const ledger::ChunkPeople& people, const Resolved& resolved,
           const ComposeContext& context, ComposedRequests& requests)
        : claim_{claim},
          job_{*claim.job},
          people_{people},
          resolved_{resolved},
          context_{context},
          requests_{requests},
          locale_column_{find_column(resolved.rows, "locale")},
          zone_column_{find_column(resolved.rows, "time_zone")},
          link_column_{find_column(resolved.rows, unsubscribe_url)},
          reference_{to_reference(*claim.job, claim.key)},
          personal_{personal_variables(*claim.job, claim.key.channel, resolved.rows)} {}

    Result<void> write() {
        context_.references.write_refs(job_.job.id, claim_.key.channel,
                                       static_cast<std::uint32_t>(claim_.key.number),
                                       people_.outcomes.size(), requests_.refs);
        write_seals();
        std::vector<std::size_t> places;
        places.reserve(resolved_.targets.size());
        if (context_.batch_max > 1) seen_.reserve(resolved_.targets.size());
        for (const auto& target : resolved_.targets) {
            look_at_zone(target);
            auto place =
                find_place(locale_of(target), {count_repeats(target.address), has_link(target)});
            if (!place) return place.error();
            places.push_back(place.value());
        }
        make_room(places);
        for (std::size_t i = 0; i < places.size(); ++i) {
            add(*requests_.groups[places[i]], origins_[places[i]], resolved_.targets[i]);
        }
        for (std::uint32_t i = 0; i < requests_.groups.size(); ++i) seal(i);
        return {};
    }

private:
    /// Of the addresses, where links are ours: they outlive what the ledger keeps of the chunk.
    void write_seals() {
        requests_.seals.clear();
        if (reference_.unsubscribe_prefix.empty() || job_.address_key.empty()) return;
        const ledger::AddressMarks marks{job_.address_key};
        std::vector<MarkedPlace> places;
        places.reserve(resolved_.targets.size());
        std::string form;
        for (const auto& target : resolved_.targets) {
            write_compared_form(Channel::email, target.address, form);
            places.push_back({target.recipient, marks.mark(form)});
        }
        context_.references.write_seals(job_.job.id, reference_.chunk, places, requests_.seals);
    }
    std::string_view seal_of(const Target& target) const {
        if (requests_.seals.empty()) return {};
        const auto place = static_cast<std::size_t>(&target - resolved_.targets.data());
        return std::string_view{requests_.seals}.substr(place * seal_characters, seal_characters);
    }

    /// For all that is added to the groups, and for their requests.
    void make_room(std::span<const std::size_t> places) {
        std::vector<std::size_t> counts(requests_.groups.size());
        for (const auto place : places) ++counts[place];
        std::size_t requests = 0;
        for (std::size_t i = 0; i < counts.size(); ++i) {
            auto& group = *requests_.groups[i];
            group.messages.reserve(counts[i]);
            group.targets.reserve(counts[i]);
            group.values.reserve(counts[i] * group.content.variables.size());
            requests += (counts[i] + context_.batch_max - 1) / context_.batch_max;
        }
        requests_.requests.reserve(requests);
    }

    std::string_view locale_of(const Target& target) const {
        return get_text(resolved_.rows, target.row, locale_column_);
    }

    /// Counts a reader whose zone is none: they read times in another, and somebody should mend it.
    void look_at_zone(const Target& target) {
        if (!zone_column_ || target.recipient == last_reader_) return;
        last_reader_ = target.recipient;
        const auto name = get_text(resolved_.rows, target.row, zone_column_);
        if (name.empty()) return;
        auto known = zones_.find(name);
        if (known == zones_.end())
            known = zones_.emplace(name, TimeZone::find(name) != std::nullopt).first;
        if (!known->second) ++requests_.lost_zones;
    }

    /// How many targets before this one have the same address: they cannot share a request
    /// of a provider that knows recipients by their address.
    std::size_t count_repeats(std::string_view address) {
        return context_.batch_max == 1 ? 0 : seen_[address]++;
    }

    /// False where a person's own link to unsubscribe cannot stand in a header: some vendors take
    /// that header once for a whole request, so the others need one of their own.
    bool has_link(const Target& target) const {
        if (claim_.key.channel != Channel::email || !link_column_) return true;
        return is_link(get_text(resolved_.rows, target.row, link_column_));
    }

    /// What keeps people of one locale out of one request.
    struct Apart {
        std::size_t repeat = 0;
        bool linked = true;
        auto operator<=>(const Apart&) const = default;
    };

    /// The group for a locale, made when first needed.
    Result<std::size_t> find_place(std::string_view wanted, const Apart& apart) {
        const bool is_usual = apart == Apart{};
        if (is_usual && last_ < requests_.groups.size() && wanted == last_wanted_) return last_;
        const auto channel = claim_.key.channel;
        const auto locale = job_.templates.resolve_locale(job_.kind->templates, channel, wanted);
        const auto key = std::make_pair(std::string{locale}, apart);
        auto found = places_.find(key);
        if (found == places_.end()) {
            auto content = render(job_, channel, locale, personal_, context_.now);
            if (!content) return content.error();
            found = places_.emplace(key, requests_.groups.size()).first;
            requests_.groups.push_back(std::make_unique<ComposedRequests::Group>());
            auto& group = *requests_.groups.back();
            group.content = std::move(content.value());
            group.content.collapse_key = job_.collapse_key;
            if (channel == Channel::push) group.content.data = push_data(job_.job.data);
            origins_.push_back(find_origins(group.content));
        }
        if (is_usual) {
            last_ = found->second;
            last_wanted_ = wanted;
        }
        return found->second;
    }

    std::vector<Origin> find_origins(const Content& content) const {
        std::vector<Origin> origins;
        for (const auto& name : content.variables) {
            Origin origin;
            for (const auto& [time_name, moment] : job_.times) {
                if (time_name == name) origin.time = &moment;
            }
            if (origin.time == nullptr) {
                origin.column = find_column(resolved_.rows, name);
                origin.is_link = !origin.column && name == unsubscribe_url;
            }
            const auto fallback = job_.kind->person_defaults.find(name);
            if (fallback != job_.kind->person_defaults.end()) origin.fallback = fallback->second;
            origins.push_back(origin);
        }
        return origins;
    }

    void add(ComposedRequests::Group& group, const std::vector<Origin>& origins,
             const Target& target) {
        const auto locale = locale_of(target);
        for (std::size_t i = 0; i < origins.size(); ++i) {
            auto value = find_value(origins[i], target, group.content.locale, locale);
            // One person's own column is not worth the others' mail: it is left out.
            if (group.content.links[i] && !is_safe_link(value)) value = {};
            group.values.push_back(value);
        }
        group.messages.push_back({people_.recipients.elements[target.recipient], target.address,
                                  nullptr, requests_.refs[target.recipient], seal_of(target)});
        group.targets.push_back(&target);
    }

    std::string_view find_value(const Origin& origin, const Target& target,
                                std::string_view template_locale, std::string_view locale) {
        if (origin.time != nullptr) {
            const auto zone = get_text(resolved_.rows, target.row, zone_column_);
            return requests_.made.emplace_back(
                moment_for_reader(*origin.time, zone, claim_.key.channel, template_locale, locale));
        }
        if (origin.is_link) {
            const auto seal = seal_of(target);
            return requests_.made.emplace_back(
                fmt::format("{}{}.{}{}{}", job_.unsubscribe_prefix, claim_.key.number,
                            requests_.refs[target.recipient], seal.empty() ? "" : seal_lead, seal));
        }
        std::string_view value;
        if (origin.column) value = get_text(resolved_.rows, target.row, origin.column);
        if (value.empty()) return origin.fallback;
        if (is_clean_line(value)) return value;
        auto& clean = requests_.made.emplace_back();
        append_clean(value, PartForm::line, clean);
        return clean.empty() ? origin.fallback : std::string_view{clean};
    }

    /// All messages of a group are there and its arrays stand still: cut it into requests.
    void seal(std::uint32_t index) {
        auto& group = *requests_.groups[index];
        const auto width = group.content.variables.size();
        for (std::size_t i = 0; i < group.messages.size(); ++i) {
            group.messages[i].values = group.values.data() + i * width;
        }
        if (context_.provider.segments_max() > 0) {
            seal_texts(index);
            return;
        }
        for (std::size_t first = 0; first < group.messages.size(); first += context_.batch_max) {
            const auto count = std::min(context_.batch_max, group.messages.size() - first);
            auto& composed = requests_.requests.emplace_back();
            composed.group = index;
            composed.first = static_cast<std::uint32_t>(first);
            composed.count = static_cast<std::uint32_t>(count);
            const bool by_request = context_.provider.rate_unit() == RateUnit::requests;
            composed.tokens = by_request ? 1 : composed.count;
            compose(group, composed);
            if (composed.count != 1 || !is_too_large(group, composed)) continue;
            requests_.too_long.push_back(group.targets[first]);
            requests_.requests.pop_back();
        }
    }

    /// Asked once, before anything is sent: no device would get it.
    bool is_too_large(const ComposedRequests::Group& group, const ComposedRequest& composed) const {
        return context_.provider.is_too_large(
            {.content = group.content,
             .messages = {group.messages.data() + composed.first, composed.count},
             .reference = reference_},
            composed.request);
    }

    /// The same for SMS: one a request, whose segments are counted before anything is sent.
    void seal_texts(std::uint32_t index) {
        auto& group = *requests_.groups[index];
        std::string text;
        for (std::size_t i = 0; i < group.messages.size(); ++i) {
            write_sms(group.content.text, group.messages[i].values, text);
            const auto segments = count_segments(text).count;
            if (segments > context_.provider.segments_max()) {
                requests_.too_long.push_back(group.targets[i]);
                continue;
            }
            auto& composed = requests_.requests.emplace_back();
            composed.group = index;
            composed.first = static_cast<std::uint32_t>(i);
            composed.count = 1;
            const bool by_segment = context_.provider.rate_unit() == RateUnit::segments;
            composed.tokens = by_segment ? static_cast<std::uint32_t>(segments) : 1;
            compose(group, composed);
        }
    }

    /// Room is made for a body as long as the one before it: it does not grow by and by.
    void compose(const ComposedRequests::Group& group, ComposedRequest& composed) {
        if (!requests_.spare.empty()) {
            composed.request = std::move(requests_.spare.back());
            requests_.spare.pop_back();
            if (!context_.provider.uses_smtp()) composed.request.mail.reset();
        }
        auto& body = composed.request.body;
        body.reserve(std::min(bytes_a_message_ * composed.count, body_room_max));
        compose_as(reference_, job_, context_.provider, group, composed);
        bytes_a_message_ = body.size() / composed.count + body_slack;
    }

    const Claim& claim_;
    const JobContext& job_;
    const ledger::ChunkPeople& people_;
    const Resolved& resolved_;
    const ComposeContext& context_;
    ComposedRequests& requests_;
    std::optional<Column> locale_column_;
    std::optional<Column> zone_column_;
    std::optional<Column> link_column_;
    SendReference reference_;
    std::vector<std::string> personal_;
    std::map<std::pair<std::string, Apart>, std::size_t> places_;
    std::vector<std::vector<Origin>> origins_;
    boost::unordered_flat_map<std::string_view, std::size_t> seen_;
    std::unordered_map<std::string_view, bool> zones_;
    std::size_t last_reader_ = static_cast<std::size_t>(-1);
    std::string_view last_wanted_;
    std::size_t last_ = static_cast<std::size_t>(-1);
    std::size_t bytes_a_message_ = 0;  // Of the last body, and a little more.
};

}  // namespace

std::vector<std::string> personal_variables(const JobContext& job, Channel channel,
                                            const pqxx::result& contacts) {
    return personal_names(*job.kind, channel, personal_columns(contacts), job.times,
                          !job.unsubscribe_prefix.empty());
}

void compose_request(const Claim& claim, const Provider& provider,
                     const ComposedRequests::Group& group, ComposedRequest& composed) {
    compose_as(to_reference(*claim.job, claim.key), *claim.job, provider, group, composed);
}

Result<void> compose_requests(const Claim& claim, const ledger::ChunkPeople& people,
                              const Resolved& resolved, const ComposeContext& context,
                              ComposedRequests& requests) {
    requests.groups.clear();
    requests.requests.clear();
    requests.too_long.clear();
    requests.lost_zones = 0;
    requests.made.clear();
    return Writer{claim, people, resolved, context, requests}.write();
}

}  // namespace fanfare
