# What `up` and `down` know about the distributed stack on this machine. To be sourced in the repository's root.

state=${ECHO_DATA_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/echo}/stack
services=(echo-sandbox-carrier echo-webhook-dispatcher echo-knowledge-service echo-telephony-bridge echo-call-orchestrator echo-gateway)
say() { echo "echo: $*" >&2; }

ops_port() {
  case $1 in
    echo-gateway) echo 9080 ;; echo-call-orchestrator) echo 9081 ;; echo-telephony-bridge) echo 9082 ;;
    echo-webhook-dispatcher) echo 9083 ;; echo-knowledge-service) echo 9084 ;; echo-sandbox-carrier) echo 9085 ;;
  esac
}

http_port() { case $1 in echo-telephony-bridge) echo 8081 ;; *) echo 8080 ;; esac; }

# Keys and the sandbox's account: made once, kept for ever.
secrets() {
  local file=$state/secrets
  if [ ! -e "$file" ]; then
    (umask 077; {
      echo "ECHO_MASTER_KEYS=k1:$(head -c 32 /dev/urandom | base64 -w0)"
      echo "ECHO_JWT_KEYS=k1:$(head -c 32 /dev/urandom | base64 -w0)"
      echo "ECHO_SANDBOX_ACCOUNT_SID=AC$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')"
      echo "ECHO_SANDBOX_AUTH_TOKEN=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')"
    } >"$file")
  fi
  set -a; . "$file"; set +a
}

environment() {
  export ECHO_DATABASE_URL=${ECHO_DATABASE_URL:-$ECHO_TEST_DATABASE_URL} ECHO_AMQP_URL=${ECHO_AMQP_URL:-$ECHO_TEST_AMQP_URL}
  export ECHO_CARRIER=${ECHO_CARRIER:-sandbox} ECHO_PUBLIC_URL=${ECHO_PUBLIC_URL:-http://127.0.0.1:8080}
  export ECHO_HTTP_ADDR=127.0.0.1:$(http_port "$1") ECHO_OPS_ADDR=127.0.0.1:$(ops_port "$1")
  export ECHO_BRIDGE_URLS=http://127.0.0.1:8081
}

start_service() {
  local bin; bin=$(deploy/dev/target-dir)/debug/$1
  (environment "$1"; exec setsid "$bin" serve </dev/null >>"$state/logs/$1.log" 2>&1) &
  echo "$1 $!" >>"$state/pids"
}

await_ready() {
  local bin tries; bin=$(deploy/dev/target-dir)/debug/$1
  for tries in $(seq 120); do
    if (environment "$1"; "$bin" --check-health >/dev/null 2>&1); then return 0; fi
    sleep 0.25
  done
  return 1
}
