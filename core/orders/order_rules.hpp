#pragma once

#include "core/postgres/connection.hpp"
#include "core/rendering/templates.hpp"
#include "core/rendering/variables.hpp"
#include "core/systems/system.hpp"
#include "core/wire/cloud_event.hpp"
#include "core/wire/job.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// Whether a job can be told to anybody: one place for whoever takes an order (API, CLI, intake) and
// for the planner.
namespace fanfare {

class RecentAnswers;

/// A job with what it is told by.
struct Telling {
    const Job& job;
    const System& system;
    const Kind& kind;
    const Templates& templates;
    bool has_links = false;  // People can unsubscribe by a link.
    TimePoint now;
};

/// Fills in what the kind says, and refuses what cannot be told, as far as settings and templates
/// know: resolve_job(), channels without texts, moments that are none. Pure.
[[nodiscard]] std::optional<Rejection> settle_order(Job& job, const Systems& systems,
                                                    const Templates& templates);

/// The job of a Kafka record, settled: what a worker makes of it before it asks any database. Pure.
[[nodiscard]] std::variant<Job, Rejection> settle_record(EventHeaders headers,
                                                         std::string_view payload,
                                                         const Systems& systems,
                                                         const Templates& templates);

/// Names of the variables that differ by person: columns of the contact query, moments, defaults,
/// and the link to unsubscribe.
[[nodiscard]] std::vector<std::string> personal_names(const Kind& kind, Channel channel,
                                                      std::vector<std::string> columns,
                                                      std::span<const NamedMoment> moments,
                                                      bool has_links);

/// The columns of a contact query that are the person's variables.
[[nodiscard]] std::vector<std::string> personal_columns(const pqxx::result& contacts);

/// What the system's database says that they are now. Throws what libpqxx throws.
[[nodiscard]] std::vector<std::string> columns_now(postgres::Connection& source,
                                                   const System& system, Channel channel);

/// Whether it plans a query with a text for one parameter, and no other value, that is nobody's
/// idea of a value of any other type. Throws what libpqxx throws.
[[nodiscard]] bool takes_odd_text(postgres::Connection& source, const Query& query,
                                  std::size_t parameter);

/// Refuses a job whose texts of one channel lack a variable, or cannot be written with its values,
/// in any language. Pure.
[[nodiscard]] std::optional<Rejection> check_texts(const Telling& telling, Channel channel,
                                                   std::span<const std::string> personal);

/// The same for every channel it may use, with what the system's own database knows of people; and
/// a parameter that is not of the type that the audience casts it to. Throws what libpqxx throws,
/// but for that. `recent`, where given, is asked for what it may know already; nothing is refused
/// by it alone.
[[nodiscard]] std::optional<Rejection> check_order(postgres::Connection& source,
                                                   const Telling& telling,
                                                   RecentAnswers* recent = nullptr);

}  // namespace fanfare
