// completion: what a shell reads to complete our commands. The scripts know no command: at each
// press of the tab key they ask this very program, so that they are never behind it.
#include "cli/candidates.hpp"
#include "cli/command.hpp"

#include <fmt/format.h>

#include <memory>
#include <string_view>

namespace fanfare::cli {
namespace {

// Where we know nothing, the shell offers files.
constexpr std::string_view for_bash = R"~(# fanfare: completion for bash
_fanfare() {
    local word about
    COMPREPLY=()
    while IFS=$'\t' read -r word about; do COMPREPLY+=("$word"); done \
        < <("$1" completion candidates -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _fanfare fanfare
)~";

constexpr std::string_view for_zsh = R"~(#compdef fanfare
# fanfare: completion for zsh
_fanfare() {
    local -a asked found
    local line tab=$'\t'
    asked=("${(Q)words[1]}" completion candidates -- "${(@Q)words[2,CURRENT]}")
    for line in "${(@f)$("${asked[@]}" 2>/dev/null)}"; do
        if [[ -n $line ]]; then found+=("${${line%%$tab*}//:/\\:}:${line#*$tab}"); fi
    done
    if (( ${#found} )); then _describe fanfare found; else _files; fi
}
if [[ ${funcstack[1]} == _fanfare ]]; then _fanfare "$@"; else compdef _fanfare fanfare; fi
)~";

constexpr std::string_view for_fish = R"~(# fanfare: completion for fish
function __fanfare_candidates
    set -l words (commandline -opc) (commandline -ct)
    set -l found ($words[1] completion candidates -- $words[2..-1] 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c fanfare -f -a '(__fanfare_candidates)'
)~";

int print_script(std::string_view script) {
    fmt::print("{}", script);
    return exit_ok;
}

int print_candidates(const CLI::App& app, const std::vector<std::string>& words) {
    for (const auto& [word, about] : candidates(app, words)) {
        fmt::print("{}\t{}\n", word, about.substr(0, about.find('\n')));
    }
    return exit_ok;
}

}  // namespace

void add_completion(const Command& app, Globals& globals) {
    const auto command =
        app.command("completion", "For a shell: source <(fanfare completion bash); or zsh; fish");
    command.needs_command();
    const auto add_shell = [&](const char* name, const char* about, std::string_view script) {
        choose(command.command(name, about), globals, [script] { return print_script(script); });
    };
    add_shell("bash", "source <(fanfare completion bash)", for_bash);
    add_shell("zsh", "source <(fanfare completion zsh)", for_zsh);
    add_shell("fish", "fanfare completion fish | source", for_fish);
    // What the scripts ask; nobody types it.
    const auto asked = command.command("candidates");
    asked.hide();
    auto words = std::make_shared<std::vector<std::string>>();
    asked.option("words", *words);
    choose(asked, globals, [&all = app.app(), words] { return print_candidates(all, *words); });
}

}  // namespace fanfare::cli
