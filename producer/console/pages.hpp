#pragma once

#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"
#include "core/wire/job.hpp"
#include "producer/console/live.hpp"
#include "producer/console/page_context.hpp"
#include "producer/console/sessions.hpp"

#include <functional>
#include <memory>

namespace fanfare::console {

/// The label of all its routes in metrics.
inline constexpr std::string_view counted_as{"/console"};

/// Serves somebody who has signed in. The visit outlives the await.
using Shown = std::function<boost::asio::awaitable<HttpReply>(const Visit&)>;

/// The routes of the console, which only a session gets through, before anything of a body is
/// read; what acts needs the session's form word, too.
class Pages {
public:
    struct Parts {
        const PageContext& context;
        const Sessions& sessions;
        api::Clients& clients;
        LiveSlots& slots;
    };
    static constexpr std::size_t form_bytes_max = 64 << 10;

    Pages(Router& router, Parts parts)
        : router_{router}, parts_{std::make_shared<const Parts>(parts)} {}

    void get(std::string_view pattern, Shown shown);
    /// What is fetched by a page: without a session it is 401, and no way to sign in.
    void get_part(std::string_view pattern, Shown shown);
    /// After all others: whatever else is asked for below /console is a page that says so.
    void get_nothing_else();
    void post(std::string_view pattern, Shown shown, std::size_t body_max = form_bytes_max);

    [[nodiscard]] const PageContext& context() const noexcept { return parts_->context; }
    [[nodiscard]] LiveSlots& slots() const noexcept { return parts_->slots; }

private:
    Router& router_;
    std::shared_ptr<const Parts> parts_;
};

/// Of the cookie that a browser sends; nothing where none of ours is among them.
[[nodiscard]] std::optional<Session> find_session(const Sessions& sessions, const HttpCall& call);
/// False where a browser says that another site's page sends this.
[[nodiscard]] bool is_of_this_site(const HttpCall& call);
/// A form as it was sent; nothing for what is none.
[[nodiscard]] std::optional<Form> read_form(const HttpCall& call);

/// For whom nobody knows yet, and for leaving.
struct SignInParts {
    const Sessions& sessions;
    api::Clients& clients;
    const ServerSettings& settings;
};
void add_sign_in_pages(Router& router, Pages& pages, SignInParts parts);
void add_job_list_pages(Pages& pages);
void add_job_pages(Pages& pages);
void add_replay_pages(Pages& pages);
void add_account_pages(Pages& pages);
void add_letter_pages(Pages& pages);
void add_people_pages(Pages& pages);
void add_schedule_pages(Pages& pages);
void add_template_pages(Pages& pages);
void add_suppression_pages(Pages& pages, const Systems& systems);
void add_suppressed_people_page(Pages& pages, const Systems& systems);

/// Whether the list of all suppressed addresses is theirs to see: it belongs to no system.
[[nodiscard]] bool sees_addresses(const api::Identity& who);

}  // namespace fanfare::console
