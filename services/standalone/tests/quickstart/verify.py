"""Says what the public verifier of Standard Webhooks thinks of a webhook: true or false for each secret. What came
({secrets, headers, body}) is on standard input, as JSON."""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError


def believed(secret, came):
    try:
        Webhook(secret).verify(came["body"], came["headers"])
        return True
    except WebhookVerificationError:
        return False


came = json.load(sys.stdin)
print(json.dumps([believed(secret, came) for secret in came["secrets"]]))
