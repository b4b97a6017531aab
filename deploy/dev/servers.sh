# shellcheck shell=bash disable=SC2154
# Finds or starts a PostgreSQL and a RabbitMQ: named ones, else running ones, else installed ones on private ports, else Debian's
# packages where they may be installed, else Docker, else it stops and says what to install. Says what it did. Where
# ECHO_OWN_SERVERS is set, those that are named or run already are left alone. To be sourced, with `$work` set to a folder of its
# own; what has to be run to stop what it starts goes through `on_stop`, before it is started. What is in `$work` from an earlier
# time is gone on with: who wants new servers gives a new folder.

say() { echo "echo: $*" >&2; }
listens() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }
free_port() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])' 2>/dev/null || echo $((20000 + RANDOM % 12000)); }
may_install() { command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; }
has_docker() { command -v docker >/dev/null && docker info >/dev/null 2>&1; }
install() { say "installing $*"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null; }

# Runs a command twice a second, at most so many times, until it succeeds.
await() {
  local what=$1 tries=$2; shift 2
  until "$@" >/dev/null 2>&1; do
    tries=$((tries - 1)); [ "$tries" -gt 0 ] || { say "$what did not become ready"; return 1; }
    sleep 0.5
  done
}

# A process is told by its command line and not by its number alone, which may have gone to somebody else since.
command_line() { { tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null || true; }

# Whether nothing of that process is left, but for an entry that nobody has collected.
is_gone() { [ -z "$(command_line "$1")" ]; }

# Waits until a process that was told to end is gone: <what it is> <its number>.
await_end() { await "the end of $1" 80 is_gone "$2" || { say "killing $1"; kill -s KILL "$2" || true; }; }

pg_bin() {
  local initdb
  initdb=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1) || initdb=$(command -v initdb) || return 1
  dirname "$(readlink -f "$initdb")"
}

pg_answers() { command -v psql >/dev/null && psql -wqAtc 'select 1' "$1" >/dev/null 2>&1; }

start_postgres() {
  local bin port as=(); bin=$(pg_bin); port=$(free_port)
  mkdir -p "$work/pg"; chmod 755 "$work"
  if [ "$(id -u)" -eq 0 ]; then # whom PostgreSQL refuses
    as=(setpriv --reuid=postgres --regid=postgres --clear-groups); chown postgres "$work" "$work/pg"
    "${as[@]}" test -x "$work" || { say "the user postgres cannot enter $work: choose another ECHO_DATA_DIR or TMPDIR"; exit 1; }
  fi
  [ -e "$work/pg/PG_VERSION" ] || "${as[@]}" "$bin/initdb" -D "$work/pg" -U postgres -A trust >"$work/initdb.log" 2>&1 \
    || { say "initdb failed:"; tail -n 5 "$work/initdb.log" >&2; exit 1; }
  on_stop "stop_postgres '$work/pg'"
  "${as[@]}" "$bin/pg_ctl" -D "$work/pg" -o "-p $port -k $work -c listen_addresses=127.0.0.1 -c max_connections=300" -l "$work/pg/log" -w start >/dev/null
  export ECHO_TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$port/postgres"
  say "started a PostgreSQL of its own on port $port"
}

# INT is its fast end: sessions are cut off, and everything is written down.
stop_postgres() {
  local pid; pid=$(head -n 1 "$1/postmaster.pid" 2>/dev/null) || return 0
  if [[ "$(command_line "$pid")" == *postgres\ *" $1 "* ]]; then kill -s INT "$pid"; await_end PostgreSQL "$pid"; fi
}

docker_postgres() {
  local port name="echo-pg-$$"; port=$(free_port)
  on_stop "docker stop -t 5 $name >/dev/null 2>&1"
  docker run -d --rm --name "$name" -e POSTGRES_HOST_AUTH_METHOD=trust -p "127.0.0.1:$port:5432" postgres:15 -c max_connections=300 >/dev/null
  await PostgreSQL 60 docker exec "$name" pg_isready -h 127.0.0.1 -U postgres
  export ECHO_TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$port/postgres"
  say "PostgreSQL: in Docker on port $port; its data goes when it is stopped"
}

find_postgres() {
  local url=postgres://postgres@127.0.0.1:5432/postgres
  if [ -z "${ECHO_OWN_SERVERS:-}" ]; then
    if [ -n "${ECHO_TEST_DATABASE_URL:-}" ]; then say "PostgreSQL: ECHO_TEST_DATABASE_URL"; return; fi
    if pg_answers "$url"; then export ECHO_TEST_DATABASE_URL=$url; say "PostgreSQL: the one running on port 5432"; return; fi
  fi
  if pg_bin >/dev/null; then start_postgres; return; fi
  if may_install; then install postgresql; start_postgres; return; fi
  if has_docker; then docker_postgres; return; fi
  say "PostgreSQL 14 or newer is needed: install the package 'postgresql', or name a server in ECHO_TEST_DATABASE_URL"; exit 1
}

rabbitmq_program() { command -v rabbitmq-server || { [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] && echo /usr/lib/rabbitmq/bin/rabbitmq-server; }; }

start_rabbitmq() {
  local port dist node; port=$(free_port); dist=$(free_port)
  # The name of its data: the same every time, and another one for another folder.
  node=echo$(cksum <<<"$work" | cut -d' ' -f1)@localhost
  mkdir -p "$work/mq"; chmod 777 "$work" "$work/mq"
  echo '[].' >"$work/mq/plugins"
  # Files of its own: the machine's may name a port.
  echo "listeners.tcp.1 = 127.0.0.1:$port" >"$work/mq/rabbitmq.conf"
  on_stop "stop_rabbitmq $node"
  RABBITMQ_NODENAME=$node RABBITMQ_DIST_PORT=$dist RABBITMQ_CONFIG_FILE=$work/mq/rabbitmq.conf RABBITMQ_CONF_ENV_FILE=$work/mq/none \
    RABBITMQ_ADVANCED_CONFIG_FILE=$work/mq/none RABBITMQ_ENABLED_PLUGINS_FILE=$work/mq/plugins RABBITMQ_MNESIA_BASE=$work/mq \
    RABBITMQ_LOG_BASE=$work/mq RABBITMQ_PID_FILE=$work/mq/pid "$(rabbitmq_program)" -detached >/dev/null 2>&1
  await RabbitMQ 120 listens 127.0.0.1 "$port"
  export ECHO_TEST_AMQP_URL="amqp://guest:guest@127.0.0.1:$port/%2f"
  say "started a RabbitMQ of its own on port $port"
}

# It is told by its environment, where its node has a name; its file with the number is written only a while after its start.
stop_rabbitmq() {
  local pid
  for pid in $(grep -lszxF "RABBITMQ_NODENAME=$1" /proc/[0-9]*/environ | cut -d/ -f3); do
    if [[ "$(command_line "$pid")" == */beam* ]]; then kill -s TERM "$pid"; await_end RabbitMQ "$pid"; fi
  done
}

docker_rabbitmq() {
  local port name="echo-mq-$$"; port=$(free_port)
  on_stop "docker stop -t 5 $name >/dev/null 2>&1"
  docker run -d --rm --name "$name" -p "127.0.0.1:$port:5672" rabbitmq:3 >/dev/null
  await RabbitMQ 120 docker exec "$name" rabbitmq-diagnostics -q check_port_connectivity
  export ECHO_TEST_AMQP_URL="amqp://guest:guest@127.0.0.1:$port/%2f"
  say "RabbitMQ: in Docker on port $port; its data goes when it is stopped"
}

find_rabbitmq() {
  if [ -z "${ECHO_OWN_SERVERS:-}" ]; then
    if [ -n "${ECHO_TEST_AMQP_URL:-}" ]; then say "RabbitMQ: ECHO_TEST_AMQP_URL"; return; fi
    if listens 127.0.0.1 5672; then export ECHO_TEST_AMQP_URL=amqp://guest:guest@127.0.0.1:5672/%2f; say "RabbitMQ: the one running on port 5672"; return; fi
  fi
  if rabbitmq_program >/dev/null; then start_rabbitmq; return; fi
  if may_install; then install rabbitmq-server; start_rabbitmq; return; fi
  if has_docker; then docker_rabbitmq; return; fi
  say "RabbitMQ 3.10 or newer is needed: install the package 'rabbitmq-server', or name a broker in ECHO_TEST_AMQP_URL"; exit 1
}
