// A project's own server: the quickstart's lines, in the smallest Express application that they run in. Standard output is what
// they print. On standard error is one line of JSON when the port is known, one when the secret is, and one for each request that was
// answered.
const express = require('express');

const app = express();

app.use((req, res, next) => {
  const chunks = [];
  req.on('data', (chunk) => chunks.push(chunk));
  res.on('finish', () => {
    const body = Buffer.concat(chunks).toString();
    const { headers } = req;
    console.error(JSON.stringify({ signature: headers['x-echo-signature'], headers, body, status: res.statusCode }));
  });
  next();
});

// The secret is known only when the endpoint has been registered: it comes on standard input. The end of the input is the end.
require('readline')
  .createInterface({ input: process.stdin })
  .on('line', (secret) => {
    process.env.ECHO_SIGNING_SECRET = secret;
    console.error(JSON.stringify({ trusted: true }));
  })
  .on('close', () => process.exit());

// ---- From here on word for word.
const crypto = require('crypto');

app.post('/webhooks/echo', express.raw({ type: 'application/json' }), (req, res) => {
  const sig = crypto
    .createHmac('sha256', process.env.ECHO_SIGNING_SECRET)
    .update(req.body) // raw Buffer — not parsed JSON
    .digest('hex');

  if (`sha256=${sig}` !== req.headers['x-echo-signature']) {
    return res.status(401).send('Invalid signature');
  }

  const { event_name, data } = JSON.parse(req.body);

  if (event_name === 'call.summary') {
    console.log(data.analysis);
    // { confirmed: true, reschedule_request: null }
  }

  res.sendStatus(200);
});
// ---- Up to here.

const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.error(JSON.stringify({ port: server.address().port }));
});
