// Says what the public verifier of Standard Webhooks thinks of a webhook: `true` or `false` for each secret. What came
// ({secrets, headers, body}) is on standard input, as JSON.
const { readFileSync } = require('fs');
const { Webhook, WebhookVerificationError } = require('standardwebhooks');

const { secrets, headers, body } = JSON.parse(readFileSync(0, 'utf8'));

const believed = secrets.map((secret) => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
});
console.log(JSON.stringify(believed));
