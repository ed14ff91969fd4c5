# shellcheck shell=bash
# Apache Kafka, one node or three, each broker and controller in one (KRaft), from Maven Central's jars: no Docker, no root.
# The files of the first node are kafka.*, of the others kafka2.* and kafka3.*. Expects STACK (the stack's folder) and lib.sh.

KAFKA_VERSION=3.9.2
KAFKA_LIST=$FANFARE_ROOT/scripts/kafka.jars
KAFKA_HOME=$FANFARE_CACHE/kafka-$KAFKA_VERSION
MAVEN_BASE=${FANFARE_MAVEN_BASE:-https://repo1.maven.org/maven2}

kafka_jars() { grep -v '^#' "$KAFKA_LIST"; }
kafka_fingerprint() { kafka_jars | sha256sum | cut -d' ' -f1; }
kafka_fetched() { [[ -r $KAFKA_HOME/complete && $(<"$KAFKA_HOME/complete") == "$(kafka_fingerprint)" ]]; }

# Downloads what is missing, verifies all, and only then gives the folder its final name.
kafka_fetch() {
    local part=$KAFKA_HOME.part sum path file list
    if kafka_fetched; then return 0; fi
    mkdir -p "$FANFARE_CACHE"
    exec 7>"$FANFARE_CACHE/kafka.lock"
    flock 7
    if kafka_fetched; then exec 7>&-; return 0; fi
    mkdir -p "$part"
    list=$part/wanted
    : >"$list"
    while read -r sum path; do
        file=$part/${path##*/}
        if [[ -e $file ]] && sha256sum --status -c <<<"$sum  $file"; then continue; fi
        rm -f "$file"
        printf 'url = "%s/%s"\noutput = "%s"\n' "$MAVEN_BASE" "$path" "${path##*/}" >>"$list"
    done < <(kafka_jars)
    if [[ -s $list ]] && ! with_progress "fetching Apache Kafka $KAFKA_VERSION (48 MB, once)" "$FANFARE_CACHE/kafka-fetch.log" \
        env -C "$part" curl -sS --fail --fail-early --location --parallel --parallel-max 8 --connect-timeout 20 --retry 3 \
        --speed-limit 1000 --speed-time 60 --config "${list##*/}"; then
        die "Apache Kafka's jars cannot be fetched from $MAVEN_BASE" \
            "see whether this works: curl -I $MAVEN_BASE/org/apache/kafka/kafka_2.13/$KAFKA_VERSION/kafka_2.13-$KAFKA_VERSION.jar" \
            "with a mirror of Maven Central: FANFARE_MAVEN_BASE=https://... and again" \
            "from a machine that has it: copy its ${KAFKA_HOME/#"${HOME:-/nowhere}"/\~} here" \
            "to go on without the real broker: FANFARE_WITHOUT_KAFKA=1 (its tests are then left out)"
    fi
    while read -r sum path; do
        file=$part/${path##*/}
        if ! sha256sum --status -c <<<"$sum  $file" 2>/dev/null; then
            rm -f "$file"
            die "${path##*/} from $MAVEN_BASE is not the file that scripts/kafka.jars promises" \
                "run again: it is fetched anew; if it fails again, distrust the mirror"
        fi
    done < <(kafka_jars)
    rm -f "$list"
    kafka_fingerprint >"$part/complete"
    rm -rf "$KAFKA_HOME"
    mv "$part" "$KAFKA_HOME"
    exec 7>&-
}

# kafka_nodes: the names of the stack's nodes; how many there are is settled by its first `up`.
kafka_nodes() {
    local id
    printf 'kafka\n'
    for ((id = 2; id <= $(cat "$STACK/kafka.brokers" 2>/dev/null || printf 1); id++)); do printf 'kafka%d\n' "$id"; done
}

kafka_id() { local id=${1#kafka}; printf '%s' "${id:-1}"; }

kafka_voters() {
    local node voters=''
    for node in $(kafka_nodes); do voters+="${voters:+,}$(kafka_id "$node")@127.0.0.1:$(<"$STACK/$node.controller")"; done
    printf '%s' "$voters"
}

kafka_configure() { # kafka_configure NODE
    local port replicas in_sync=1
    port=$(<"$STACK/$1.port")
    replicas=$(kafka_nodes | wc -l)
    if ((replicas > 1)); then in_sync=2; fi
    mkdir -p "$STACK/$1"
    cat >"$STACK/$1/server.properties" <<CONF
process.roles=broker,controller
node.id=$(kafka_id "$1")
controller.quorum.voters=$(kafka_voters)
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$(<"$STACK/$1.controller")
advertised.listeners=PLAINTEXT://127.0.0.1:$port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$STACK/$1/data
auto.create.topics.enable=false
num.partitions=4
default.replication.factor=$replicas
min.insync.replicas=$in_sync
offsets.topic.replication.factor=$replicas
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$in_sync
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=$replicas
share.coordinator.state.topic.min.isr=$in_sync
group.initial.rebalance.delay.ms=0
# A member that was killed holds its partitions for as long as its session lasts: 6 s at least, otherwise.
group.min.session.timeout.ms=1000
# A killed broker may come back only when the session of its former life is over: 9 s by default.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
# A job message of 2 MB must get through, so that we are the ones who refuse it.
message.max.bytes=8388608
replica.fetch.max.bytes=8388608
log.retention.hours=168
log.segment.bytes=268435456
log.index.size.max.bytes=1048576
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
delete.topic.enable=true
CONF
    cat >"$STACK/$1/log4j.properties" <<CONF
log4j.rootLogger=WARN, file
log4j.logger.kafka.server.KafkaRaftServer=INFO
log4j.appender.file=org.apache.log4j.RollingFileAppender
log4j.appender.file.File=$STACK/$1.log
log4j.appender.file.MaxFileSize=20MB
log4j.appender.file.MaxBackupIndex=2
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=%d{ISO8601} %p %m (%c)%n
CONF
    cat >"$STACK/kafka/tools-log4j.properties" <<'CONF'
log4j.rootLogger=WARN, stderr
log4j.appender.stderr=org.apache.log4j.ConsoleAppender
log4j.appender.stderr.Target=System.err
log4j.appender.stderr.layout=org.apache.log4j.PatternLayout
log4j.appender.stderr.layout.ConversionPattern=%p %m%n
CONF
}

kafka_brokers() {
    local node brokers=''
    for node in $(kafka_nodes); do brokers+="${brokers:+,}127.0.0.1:$(<"$STACK/$node.port")"; done
    printf '%s' "$brokers"
}

# kafka_tool CLASS ARGUMENT...: one of Kafka's own command-line programs.
kafka_tool() {
    java -Xmx256m -Xshare:auto -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
        "-Dlog4j.configuration=file:$STACK/kafka/tools-log4j.properties" -cp "$KAFKA_HOME/*" "$@"
}

# What all nodes must know of each other before one of them starts.
kafka_prepare() {
    local node id
    for node in $(kafka_nodes); do
        if [[ -s $STACK/$node.port && -s $STACK/$node.controller ]]; then continue; fi
        free_port >"$STACK/$node.port"
        free_port >"$STACK/$node.controller"
    done
    for node in $(kafka_nodes); do kafka_configure "$node"; done
    if [[ -s $STACK/kafka.cluster ]]; then return 0; fi
    # A cluster id must not begin with a dash: the tool would take it for an option.
    until id=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=') && [[ $id != -* ]]; do :; done
    printf '%s\n' "$id" >"$STACK/kafka.cluster"
}

kafka_format() { # kafka_format NODE
    rm -rf "$STACK/$1/data"
    kafka_tool kafka.tools.StorageTool format -t "$(<"$STACK/kafka.cluster")" -c "$STACK/$1/server.properties" >>"$STACK/$1.out" 2>&1
}

kafka_started() { tail -c "+$((KAFKA_LOG_FROM + 1))" "$STACK/$1.log" 2>/dev/null | grep 'Kafka Server started' >/dev/null; }
kafka_settled() {
    kafka_started "$1" && return 0
    ! live_pid "$STACK/$1.pid" >/dev/null
}

kafka_alive() {
    local node
    for node in $(kafka_nodes); do live_pid "$STACK/$node.pid" >/dev/null || return 1; done
}

# kafka_node_start NODE, after kafka_prepare. FANFARE_KAFKA_JVM: how its Java collects and compiles, for brokers that live for
# minutes only.
kafka_node_start() {
    local port jvm memory=(-Xms256m -Xmx512m)
    if live_pid "$STACK/$1.pid" >/dev/null; then return 0; fi
    if [[ $(kafka_nodes | wc -l) != 1 ]]; then memory=(-Xms96m -Xmx384m); fi
    cd "$STACK/$1" || return 1
    sweep "$STACK/$1" java 10
    for port in "$(<"$STACK/$1.port")" "$(<"$STACK/$1.controller")"; do
        if listening "$port"; then
            warn "port $port is taken by somebody else (next: scripts/stack down, then up)"
            return 1
        fi
    done
    if [[ ! -e $STACK/$1/data/meta.properties ]]; then kafka_format "$1"; fi
    KAFKA_LOG_FROM=$(stat -c %s "$STACK/$1.log" 2>/dev/null || printf 0)
    read -ra jvm <<<"${FANFARE_KAFKA_JVM:--XX:+UseG1GC -XX:MaxGCPauseMillis=20}"
    preload "$STACK/$1" "$STACK/$1/full"
    setsid "${PRELOAD[@]}" java "${memory[@]}" "${jvm[@]}" -XX:+ExitOnOutOfMemoryError \
        -Djava.awt.headless=true "-Dlog4j.configuration=file:$STACK/$1/log4j.properties" \
        -cp "$KAFKA_HOME/*" kafka.Kafka "$STACK/$1/server.properties" \
        >>"$STACK/$1.out" 2>&1 </dev/null 9>&- &
    write_pid "$STACK/$1.pid" $!
    if ! wait_until 300 kafka_settled "$1" || ! live_pid "$STACK/$1.pid" >/dev/null; then
        warn "Kafka did not start; the end of $STACK/$1.log and $1.out:"
        tail -q -n 10 "$STACK/$1.log" "$STACK/$1.out" 2>/dev/null | sed 's/^/    /' >&2
        return 1
    fi
    wait_until 30 connects "$(<"$STACK/$1.port")"
}

# Several at once: none of them is up before most of them are.
kafka_start() {
    local node pid pids=() failed=0
    if kafka_alive; then return 0; fi
    if ! command -v java >/dev/null; then
        warn "Kafka needs Java, and there is none (next: scripts/setup kafka)"
        return 1
    fi
    if ! kafka_fetched; then
        warn "Kafka's jars are not here (next: scripts/stack fetch)"
        return 1
    fi
    kafka_prepare
    for node in $(kafka_nodes); do
        (trap - EXIT INT TERM; kafka_node_start "$node") &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
    return "$failed"
}

kafka_node_stop() { # kafka_node_stop NODE [fast|immediate|kill]
    local signal=TERM
    case ${2:-fast} in immediate | kill) signal=KILL ;; esac
    stop_process "$STACK/$1.pid" "$signal" 30
    sweep "$STACK/$1" java 5
}

kafka_stop() { # kafka_stop [fast|immediate|kill]
    local node pid pids=()
    for node in $(kafka_nodes); do
        (trap - EXIT INT TERM; kafka_node_stop "$node" "${1:-fast}") &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || return 1; done
}

# Everything the brokers knew is gone, their addresses are not.
kafka_wipe() {
    local node
    for node in $(kafka_nodes); do rm -rf "$STACK/$node/data"; done
    rm -f "$STACK/kafka.cluster"
}

kafka_remove() {
    local node
    for node in $(kafka_nodes); do
        rm -rf "${STACK:?}/$node"
        rm -f "$STACK/$node".{port,controller,pid,out} "$STACK/$node".log*
    done
    rm -f "$STACK"/kafka.{brokers,cluster}
}
