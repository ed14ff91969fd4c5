# shellcheck shell=bash
# The simulator of all providers. Expects STACK (the stack's folder) and lib.sh.

sim_program() {
    local preset
    if [[ -n ${FANFARE_SIM_BIN:-} ]]; then printf '%s' "$FANFARE_SIM_BIN"; return 0; fi
    for preset in ${FANFARE_PRESET:-} release ci debug; do
        if [[ -x $FANFARE_ROOT/build/$preset/bin/fanfare-sim ]]; then
            printf '%s' "$FANFARE_ROOT/build/$preset/bin/fanfare-sim"
            return 0
        fi
    done
    return 1
}

sim_port() { # sim_port http|https|admin
    jq -re ".$1" "$STACK/sim/ports.json" 2>/dev/null
}

sim_settled() {
    if sim_port admin >/dev/null && connects "$(sim_port admin)"; then return 0; fi
    ! live_pid "$STACK/sim.pid" >/dev/null
}

sim_start() {
    local program http https admin
    if live_pid "$STACK/sim.pid" >/dev/null; then return 0; fi
    if ! program=$(sim_program); then
        warn "there is no build/<preset>/bin/fanfare-sim (next: scripts/build)"
        return 1
    fi
    mkdir -p "$STACK/sim"
    cd "$STACK/sim" || return 1
    sweep "$STACK/sim" fanfare-sim 5
    if [[ -s ports.json ]]; then # a restart keeps its addresses
        http=$(sim_port http) https=$(sim_port https) admin=$(sim_port admin)
        rm -f ports.json
    else
        http=$(free_port) https=$(free_port) admin=$(free_port)
    fi
    setsid "$program" --http-port "$http" --https-port "$https" --admin-port "$admin" \
        --ports-file "$STACK/sim/ports.json" --ca-file "$STACK/sim/ca.pem" \
        >>"$STACK/sim.log" 2>&1 </dev/null 9>&- &
    write_pid "$STACK/sim.pid" $!
    if ! wait_until 20 sim_settled || ! live_pid "$STACK/sim.pid" >/dev/null; then
        warn "the simulator did not start; the end of $STACK/sim.log:"
        tail -n 10 "$STACK/sim.log" | sed 's/^/    /' >&2
        return 1
    fi
}

sim_stop() {
    local signal=TERM
    case ${1:-fast} in immediate | kill) signal=KILL ;; esac
    stop_process "$STACK/sim.pid" "$signal" 10
    sweep "$STACK/sim" fanfare-sim 5
}

sim_remove() {
    rm -rf "$STACK/sim"
    rm -f "$STACK"/sim.{pid,log}
}
