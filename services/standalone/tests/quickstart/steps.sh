#!/usr/bin/env bash
# The five steps of the quickstart as a user types them. The commands and the answers stand here word for word; only the host
# ($BASE), the user's own server ($WEBHOOK_URL), the key and the ids are put in when a command is run. Ends with the endpoint's
# secret and what was made, one `name=value` a line.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step=0 api_key='' agent_id='' customer_id='' project_id=''

# Every command of the quickstart is this curl: quiet, straight to the host, and with the status behind the answer.
curl() { command curl --silent --show-error --noproxy '*' --max-time 30 --write-out '\n%{http_code}' "$@"; }

# Runs the command on standard input with this run's values in place of the samples. It has to make something.
run() {
  local command; command=$(cat)
  step=$((step + 1))
  command=${command//'https://api.meetecho.ai'/"$BASE"}
  command=${command//'https://your-server.com/webhooks/echo'/"$WEBHOOK_URL"}
  command=${command//'echo_6f437a610fbb...'/"$api_key"}
  command=${command//'8cc6199f-9466-46f2-9db7-936f3c2c1c0b'/"$customer_id"}
  command=${command//'ddb8be3b-a426-4122-b877-a0cba363c89d'/"$agent_id"}
  command=${command//'{projectId}'/"$project_id"}
  eval "$command" >"$work/out"
  sed '$d' "$work/out" >"$work/answer"
  local status; status=$(tail -n 1 "$work/out")
  [ "$status" = 201 ] || { echo "step $step: $status instead of 201: $(cat "$work/answer")" >&2; exit 1; }
}

# The answer has to be like the documented one on standard input.
answers() { cat >"$work/told"; node answer.js like "$work/told" <"$work/answer" || { echo "step $step" >&2; exit 1; }; }
field() { node answer.js field "$1" <"$work/answer"; }
matches() { [[ "$1" =~ $2 ]] || { echo "step $step: '$1' is not of the form $2" >&2; exit 1; }; }

# Step 1 — Create your account
run <<'STEP'
curl -X POST https://api.meetecho.ai/auth/signup \
  -H "Content-Type: application/json" \
  -d '{
    "email": "you@yourcompany.com",
    "password": "YourPassword123!",
    "first_name": "Jane",
    "last_name": "Doe",
    "business_name": "Acme Inc",
    "business_summary": "A SaaS platform for project management",
    "industry": "Software"
  }'
STEP
answers <<'JSON'
{
  "access_token": "eyJhbGci...",
  "refresh_token": "eyJhbGci...",
  "user": { "id": "...", "email": "you@yourcompany.com" },
  "business": { "id": "...", "name": "Acme Inc" },
  "default_project": {
    "id": "...",
    "name": "default",
    "api_key": "echo_6f437a610fbb..."
  }
}
JSON
api_key=$(field default_project.api_key)
project_id=$(field default_project.id)
matches "$api_key" '^echo_[0-9a-f]{64}$'

# Step 2 — Create an agent
run <<'STEP'
curl -X POST https://api.meetecho.ai/api/v1/agents \
  -H "x-api-key: echo_6f437a610fbb..." \
  -H "Content-Type: application/json" \
  -d '{
    "name": "Appointment Reminder",
    "system_prompt": "You are a friendly assistant calling {{recipient_first_name}} on behalf of {{business_name}}. Start the call by saying: \"Hi, is this {{recipient_first_name}}? Great — I'\''m calling from {{business_name}} to confirm your appointment on {{appointment_time}} with {{doctor_name}}. Does that time still work for you?\" If they need to reschedule, collect a preferred time and end the call warmly. Do not discuss anything else.",
    "output_schema": {
      "type": "object",
      "required": ["confirmed"],
      "properties": {
        "confirmed": {
          "type": "boolean",
          "description": "Whether the patient confirmed the appointment"
        },
        "reschedule_request": {
          "type": "string",
          "description": "Preferred reschedule time if they want to change it"
        }
      }
    }
  }'
STEP
answers <<'JSON'
{
  "id": "ddb8be3b-a426-4122-b877-a0cba363c89d",
  "name": "Appointment Reminder",
  "status": "active",
  "created_at": "2026-03-18T17:43:46.714Z"
}
JSON
agent_id=$(field id)

# Step 3 — Add a customer
run <<'STEP'
curl -X POST https://api.meetecho.ai/api/v1/customers \
  -H "x-api-key: echo_6f437a610fbb..." \
  -H "Content-Type: application/json" \
  -d '{
    "external_id": "user_12345",
    "first_name": "John",
    "last_name": "Smith",
    "phone": "+14155552671"
  }'
STEP
answers <<'JSON'
{
  "id": "8cc6199f-9466-46f2-9db7-936f3c2c1c0b",
  "project_id": "...",
  "external_id": "user_12345",
  "first_name": "John",
  "last_name": "Smith",
  "phones": [
    {
      "value": "+14155552671",
      "is_primary": true,
      "status": "active"
    }
  ]
}
JSON
customer_id=$(field id)
[ "$(field project_id)" = "$project_id" ] || { echo "the customer is in another project: $(cat "$work/answer")" >&2; exit 1; }

# Step 4 — Send a notification
run <<'STEP'
curl -X POST https://api.meetecho.ai/api/v1/notifications \
  -H "x-api-key: echo_6f437a610fbb..." \
  -H "Content-Type: application/json" \
  -d '{
    "customer_id": "8cc6199f-9466-46f2-9db7-936f3c2c1c0b",
    "agent_id": "ddb8be3b-a426-4122-b877-a0cba363c89d",
    "variables": {
      "appointment_time": "Thursday March 20th at 2:00 PM",
      "doctor_name": "Dr. Patel"
    }
  }'
STEP
answers <<'JSON'
{
  "notification": {
    "id": "13eea9cc-dbad-897d-35d9-fa46a5e30971",
    "status": "in_progress",
    "target_phone_e164": "+14155552671"
  },
  "call": {
    "callId": "call-abc123",
    "status": "queued"
  }
}
JSON
notification_id=$(field notification.id)

# Step 5 — Receive the webhook
run <<'STEP'
curl -X POST https://api.meetecho.ai/api/v1/projects/{projectId}/webhooks \
  -H "x-api-key: echo_6f437a610fbb..." \
  -H "Content-Type: application/json" \
  -d '{
    "url": "https://your-server.com/webhooks/echo",
    "events": ["call.summary"]
  }'
STEP
signing_secret=$(field signing_secret)
matches "$signing_secret" '^whsec_[0-9a-f]{64}$'

echo "notification_id=$notification_id"
echo "signing_secret=$signing_secret"
