#include "sim/provider_handler.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <functional>

namespace fanfare::sim {

namespace {

constexpr std::uint64_t draw_jitter = 100;
constexpr std::uint64_t draw_address = 101;

std::chrono::microseconds latency(const Faults& faults, std::uint64_t seed, std::uint64_t number) {
    auto ms = faults.latency_ms;
    if (faults.jitter_ms > 0) ms += faults.jitter_ms * draw(seed, number, draw_jitter);
    return std::chrono::microseconds{std::llround(ms * 1000)};
}

// Finds the recipients that always fail: by name, or because chance once fell on them.
void find_refused(const Faults& faults, std::uint64_t seed, Checked& checked) {
    if (faults.fail_addresses.empty() && faults.refuse_rate <= 0) return;
    for (std::size_t i = 0; i < checked.recipients.size(); ++i) {
        const auto recipient = checked.recipients[i];
        const auto listed = faults.fail_addresses.find(recipient);
        const bool is_listed = listed != faults.fail_addresses.end();
        const auto chance = [&] {
            return draw(seed, std::hash<std::string_view>{}(recipient), draw_address);
        };
        if (!is_listed && (faults.refuse_rate <= 0 || chance() >= faults.refuse_rate)) continue;
        checked.refusals.push_back(
            {checked.to_place(i), is_listed ? std::string_view{listed->second} : ""});
    }
}

// Those whom nobody refuses, in order. Refusals are in the order of recipients.
void drop_refused(Checked& checked) {
    auto& recipients = checked.recipients;
    auto refused = checked.refusals.begin();
    std::size_t kept = 0;
    for (std::size_t i = 0; i < recipients.size(); ++i) {
        if (refused != checked.refusals.end() && refused->place == checked.to_place(i)) {
            ++refused;
        } else {
            if (!checked.places.empty()) checked.places[kept] = checked.places[i];
            recipients[kept++] = recipients[i];
        }
    }
    recipients.resize(kept);
    if (!checked.places.empty()) checked.places.resize(kept);
}

std::string_view recipient_at(const Checked& checked, std::uint32_t place) {
    for (std::size_t i = 0; i < checked.recipients.size(); ++i) {
        if (checked.to_place(i) == place) return checked.recipients[i];
    }
    return {};
}

/// The page of a proxy that has lost the provider's answer. Not a word of it is the provider's;
/// where mail is meant, it is no reply either.
void say_as_gateway(int status, Answer& answer) {
    answer.clear();
    answer.status = status != 0 ? status : 502;
    answer.type = "text/html";
    answer.body = fmt::format(
        "<html>\r\n<head><title>{0} Gateway</title></head>\r\n"
        "<body><center><h1>{0} Gateway</h1></center><hr><center>proxy</center></body>\r\n</html>",
        answer.status);
}

}  // namespace

void ProviderHandler::handle(const Request& request, Reaction& reaction) {
    const auto& providers = simulator_.providers;
    ProviderIndex index = 0;
    while (index < providers.size() && !providers[index]->owns(request.path)) ++index;
    if (index == providers.size()) {
        reaction.answer.status = 404;
        reaction.answer.body = R"({"error":"no provider has this path"})";
        return;
    }
    auto& control = simulator_.controls[index];
    reaction.ticket = index;
    if (control.held) {
        reaction.action = Reaction::Action::park;
        return;
    }
    const auto now = clock_.now().time_since_epoch();
    const auto now_ns = std::chrono::nanoseconds{now}.count();
    const auto number = ++control.number;
    thread_local Checked checked;
    checked.clear();
    std::swap(checked.answer.body, reaction.answer.body);  // Both keep their memory.
    const CheckContext context{.now_s = now_ns / 1'000'000'000,
                               .number = number,
                               .token_generation = control.token_generation};
    providers[index]->check(request, context, checked);
    const Arrival arrival{index, request, checked, now_ns, number};
    {
        const std::lock_guard lock{simulator_.mutex};
        judge(arrival, reaction);
    }
    if (checked.taken && simulator_.webhook_queue.wants(index)) tell(arrival, context);
}

// The webhooks' side hears of what was taken.
void ProviderHandler::tell(const Arrival& arrival, const CheckContext& context) {
    const auto& checked = arrival.checked;
    std::vector<Delivery> deliveries;
    simulator_.providers[arrival.provider]->describe(arrival.request, context, checked.recipients,
                                                     deliveries);
    simulator_.webhook_queue.take(arrival.provider, checked.reference, deliveries, clock_);
}

void ProviderHandler::judge(const Arrival& arrival, Reaction& reaction) {
    auto& state = simulator_.oracle.provider(arrival.provider);
    const auto& control = simulator_.controls[arrival.provider];
    auto& checked = arrival.checked;
    const auto now_ms = arrival.now_ns / 1'000'000;
    ++state.tally.requests;
    state.concurrent_max = std::max(state.concurrent_max, ++state.concurrent);
    state.requests_peak.add(now_ms, 1);
    reaction.delay = latency(control.faults, simulator_.seed, arrival.number);
    std::swap(reaction.answer, checked.answer);
    if (checked.kind == Checked::Kind::bad) {
        ++(checked.refused ? state.tally.refused : state.tally.bad_requests);
        return count_outcome(arrival, checked.refused ? "refuse" : "bad", reaction);
    }
    state.recipients_peak.add(now_ms, static_cast<std::uint32_t>(checked.recipients.size()));
    const auto job = simulator_.oracle.find_job(arrival.provider, checked.reference);
    auto& job_tally = simulator_.oracle.job(job).tally;
    ++job_tally.requests;
    Trouble trouble{.kind = Trouble::Kind::error, .recipient = {}, .code = {}};
    const auto treatment = choose(arrival, job_tally, trouble);
    apply(treatment, arrival, trouble, job, reaction);
    count_outcome(arrival, to_string(treatment), reaction);
}

Treatment ProviderHandler::choose(const Arrival& arrival, Tally& job, Trouble& trouble) {
    auto& control = simulator_.controls[arrival.provider];
    auto& state = simulator_.oracle.provider(arrival.provider);
    const auto& faults = control.faults;
    const auto cost =
        faults.limit_recipients ? static_cast<double>(arrival.checked.recipients.size()) : 1.0;
    const bool within_limit =
        faults.limit_per_second <= 0 ||
        control.bucket.take(faults.limit_per_second, faults.limit_burst, cost, arrival.now_ns);
    const bool within_concurrency =
        faults.concurrency_limit <= 0 || state.concurrent <= faults.concurrency_limit;
    if (!within_limit || !within_concurrency) {
        ++state.tally.violations;
        ++job.violations;
    }
    auto& checked = arrival.checked;
    const bool singly = simulator_.providers[arrival.provider]->refuses_singly();
    find_refused(faults, simulator_.seed, checked);
    const auto treatment = decide(faults, {.seed = simulator_.seed,
                                           .number = arrival.number,
                                           .within_limit = within_limit,
                                           .within_concurrency = within_concurrency,
                                           .refused = !singly && !checked.refusals.empty()});
    if (!control.faults.script.empty()) control.faults.script.pop_front();
    const bool is_scripted = treatment == Treatment::refuse && checked.refusals.empty();
    if (is_scripted && !checked.recipients.empty()) {
        checked.refusals.push_back({checked.to_place(0), ""});
    }
    if (!checked.refusals.empty()) {
        trouble.recipient = recipient_at(checked, checked.refusals.front().place);
        trouble.code = checked.refusals.front().code;
    } else if (!checked.recipients.empty()) {
        trouble.recipient = checked.recipients.front();
    }
    trouble.refused = checked.refusals;
    trouble.path = arrival.request.path;
    trouble.now_s = arrival.now_ns / 1'000'000'000;
    trouble.retry_after_s = static_cast<std::uint32_t>(std::ceil(faults.retry_after_s));
    trouble.status = static_cast<int>(faults.error_status);
    trouble.concurrent = state.concurrent;
    return treatment;
}

void ProviderHandler::apply(Treatment treatment, const Arrival& arrival, const Trouble& trouble,
                            std::uint32_t job, Reaction& reaction) {
    const auto count = [&](std::uint64_t Tally::*member) { add(arrival, job, member, 1); };
    const auto& provider = *simulator_.providers[arrival.provider];
    const auto refuse = [&](Trouble::Kind kind, std::uint64_t Tally::*member) {
        count(member);
        auto told = trouble;
        told.kind = kind;
        reaction.answer.clear();
        provider.refuse(told, reaction.answer);
    };
    const bool cut = simulator_.controls[arrival.provider].faults.cut_connections;
    const auto lost = cut ? Reaction::Action::cut : Reaction::Action::drop;
    switch (treatment) {
        case Treatment::refuse:
            if (provider.refuses_singly()) break;
            return refuse(Trouble::Kind::refuse, &Tally::refused);
        case Treatment::throttle:
            return refuse(Trouble::Kind::throttle, &Tally::throttled);
        case Treatment::concurrency:
            return refuse(Trouble::Kind::concurrency, &Tally::throttled);
        case Treatment::error:
            return refuse(Trouble::Kind::error, &Tally::errors);
        case Treatment::lose_before:
            count(&Tally::lost_before);
            reaction.action = lost;
            return;
        case Treatment::lose_after:
            count(&Tally::lost_after);
            reaction.action = lost;
            break;
        case Treatment::blackhole:
            count(&Tally::blackholed);
            reaction.action = Reaction::Action::silence;
            break;
        case Treatment::malformed:
            count(&Tally::malformed);
            break;
        case Treatment::error_after:
            count(&Tally::errors_after);
            break;
        case Treatment::accept:
            break;
    }
    take(treatment, arrival, trouble, job, reaction);
}

void ProviderHandler::add(const Arrival& arrival, std::uint32_t job, std::uint64_t Tally::*member,
                          std::uint64_t by) {
    simulator_.oracle.provider(arrival.provider).tally.*member += by;
    simulator_.oracle.job(job).tally.*member += by;
}

void ProviderHandler::take(Treatment treatment, const Arrival& arrival, const Trouble& trouble,
                           std::uint32_t job, Reaction& reaction) {
    auto& checked = arrival.checked;
    const auto count = [&](std::uint64_t Tally::*member, std::uint64_t by) {
        add(arrival, job, member, by);
    };
    const auto& provider = *simulator_.providers[arrival.provider];
    if (provider.refuses_singly() && !checked.refusals.empty()) {
        count(&Tally::refused, checked.refusals.size());
        auto told = trouble;
        told.kind = Trouble::Kind::refuse;
        provider.refuse(told, reaction.answer);
        drop_refused(checked);
    }
    if (treatment == Treatment::malformed)
        reaction.answer.body.resize(reaction.answer.body.size() / 2);
    if (treatment == Treatment::error_after) say_as_gateway(trouble.status, reaction.answer);
    if (checked.kind == Checked::Kind::other) return count(&Tally::dry_runs, 1);
    if (checked.leak) count(&Tally::leaks, checked.recipients.size());
    count(&Tally::unfilled, checked.unfilled);
    if (!checked.recipients.empty()) {
        simulator_.oracle.accept(job, checked.recipients, arrival.now_ns);
    }
    checked.taken = true;
}

void ProviderHandler::count_outcome(const Arrival& arrival, std::string_view treatment,
                                    const Reaction& reaction) {
    const bool answered = reaction.action == Reaction::Action::answer;
    const auto status = answered ? reaction.answer.status : 0;
    ++simulator_.oracle.provider(arrival.provider).codes[status];
    const auto& checked = arrival.checked;
    std::span<const std::string_view> accepted;
    if (checked.taken) accepted = checked.recipients;
    simulator_.recorder.keep(arrival.provider, arrival.request, treatment, status, accepted);
}

void ProviderHandler::ended(std::uint8_t ticket) {
    if (ticket == Reaction::no_ticket) return;
    const std::lock_guard lock{simulator_.mutex};
    --simulator_.oracle.provider(ticket).concurrent;
}

void ProviderHandler::park(std::uint8_t ticket, std::function<void()> resume) {
    {
        const std::lock_guard lock{simulator_.mutex};
        if (simulator_.controls[ticket].held) {
            return simulator_.controls[ticket].parked.push_back(std::move(resume));
        }
    }
    resume();  // Released meanwhile.
}

}  // namespace fanfare::sim
