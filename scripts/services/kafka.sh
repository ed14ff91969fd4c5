# shellcheck shell=bash
# One Apache Kafka node, broker and controller in one (KRaft), from Maven Central's jars: no Docker, no root.
# Expects STACK (the stack's folder) and lib.sh.

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

kafka_configure() {
    mkdir -p "$STACK/kafka"
    cat >"$STACK/kafka/server.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$2
listeners=PLAINTEXT://127.0.0.1:$1,CONTROLLER://127.0.0.1:$2
advertised.listeners=PLAINTEXT://127.0.0.1:$1
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$STACK/kafka/data
auto.create.topics.enable=false
num.partitions=4
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
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
    cat >"$STACK/kafka/log4j.properties" <<CONF
log4j.rootLogger=WARN, file
log4j.logger.kafka.server.KafkaRaftServer=INFO
log4j.appender.file=org.apache.log4j.RollingFileAppender
log4j.appender.file.File=$STACK/kafka.log
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

kafka_brokers() { printf '127.0.0.1:%s' "$(<"$STACK/kafka.port")"; }

# kafka_tool CLASS ARGUMENT...: one of Kafka's own command-line programs.
kafka_tool() {
    java -Xmx256m -Xshare:auto -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
        "-Dlog4j.configuration=file:$STACK/kafka/tools-log4j.properties" -cp "$KAFKA_HOME/*" "$@"
}

kafka_format() {
    local id
    # A cluster id must not begin with a dash: the tool would take it for an option.
    until id=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=') && [[ $id != -* ]]; do :; done
    rm -rf "$STACK/kafka/data"
    kafka_tool kafka.tools.StorageTool format -t "$id" -c "$STACK/kafka/server.properties" >>"$STACK/kafka.out" 2>&1
}

kafka_started() { tail -c "+$((KAFKA_LOG_FROM + 1))" "$STACK/kafka.log" 2>/dev/null | grep -q 'Kafka Server started'; }
kafka_settled() {
    kafka_started && return 0
    ! live_pid "$STACK/kafka.pid" >/dev/null
}

# FANFARE_KAFKA_JVM: how its Java collects and compiles, for brokers that live for minutes only.
kafka_start() {
    local port jvm
    if live_pid "$STACK/kafka.pid" >/dev/null; then return 0; fi
    if ! command -v java >/dev/null; then
        warn "Kafka needs Java, and there is none (next: scripts/setup kafka)"
        return 1
    fi
    if ! kafka_fetched; then
        warn "Kafka's jars are not here (next: scripts/stack fetch)"
        return 1
    fi
    if [[ ! -s $STACK/kafka.port ]]; then
        free_port >"$STACK/kafka.port"
        free_port >"$STACK/kafka.controller"
    fi
    kafka_configure "$(<"$STACK/kafka.port")" "$(<"$STACK/kafka.controller")"
    cd "$STACK/kafka" || return 1
    sweep "$STACK/kafka" java 10
    for port in "$(<"$STACK/kafka.port")" "$(<"$STACK/kafka.controller")"; do
        if listening "$port"; then
            warn "port $port is taken by somebody else (next: scripts/stack down, then up)"
            return 1
        fi
    done
    if [[ ! -e $STACK/kafka/data/meta.properties ]]; then kafka_format; fi
    KAFKA_LOG_FROM=$(stat -c %s "$STACK/kafka.log" 2>/dev/null || printf 0)
    read -ra jvm <<<"${FANFARE_KAFKA_JVM:--XX:+UseG1GC -XX:MaxGCPauseMillis=20}"
    setsid java -Xms256m -Xmx512m "${jvm[@]}" -XX:+ExitOnOutOfMemoryError \
        -Djava.awt.headless=true "-Dlog4j.configuration=file:$STACK/kafka/log4j.properties" \
        -cp "$KAFKA_HOME/*" kafka.Kafka "$STACK/kafka/server.properties" \
        >>"$STACK/kafka.out" 2>&1 </dev/null 9>&- &
    write_pid "$STACK/kafka.pid" $!
    if ! wait_until 300 kafka_settled || ! live_pid "$STACK/kafka.pid" >/dev/null; then
        warn "Kafka did not start; the end of $STACK/kafka.log and kafka.out:"
        tail -q -n 10 "$STACK/kafka.log" "$STACK/kafka.out" 2>/dev/null | sed 's/^/    /' >&2
        return 1
    fi
    wait_until 30 connects "$(<"$STACK/kafka.port")"
}

# kafka_stop [fast|immediate|kill]
kafka_stop() {
    local signal=TERM
    case ${1:-fast} in immediate | kill) signal=KILL ;; esac
    stop_process "$STACK/kafka.pid" "$signal" 30
    sweep "$STACK/kafka" java 5
}

# Everything the broker knew is gone, its address is not.
kafka_wipe() { rm -rf "$STACK/kafka/data"; }

kafka_remove() {
    rm -rf "$STACK/kafka"
    rm -f "$STACK"/kafka.{port,controller,pid,out} "$STACK"/kafka.log*
}
