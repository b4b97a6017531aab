// Does with Twilio's own library what each line of its input asks for, and says on a line what came of it. Its arguments:
// where the carrier is, user name, password, account.
//
// A date goes in and comes out as {"date": "2026-03-18T12:00:00Z"}, so that one which was not understood shows as a text.
const readline = require('readline');
const twilio = require('twilio');
const { documents } = require('./documents.js');

const [carrier, user, password, account] = process.argv.slice(2);

// Twilio's host is this carrier; nothing else of a request is changed.
class ToTheSandbox extends twilio.RequestClient {
  request(wanted) {
    return super.request({ ...wanted, uri: wanted.uri.replace('https://api.twilio.com', carrier) });
  }
}

const by = (options) =>
  twilio(user, password, { accountSid: account, httpClient: new ToTheSandbox({ timeout: 30000, ...options }) });
const usual = by({});
const patient = by({ autoRetry: true });

const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
const snake = (name) => name.replace(/[A-Z]/g, (letter) => '_' + letter.toLowerCase());
const each = (object, change) => Object.fromEntries(Object.entries(object).map(change));

function resource(client, [name, sid]) {
  const list = name === 'accounts' ? client.api.accounts : client[camel(name)];
  return sid === undefined ? list : list(sid);
}

const argument = (value) => (value.date ? new Date(value.date) : value);
const inCamels = (wanted) => each(wanted, ([name, value]) => [camel(name), argument(value)]);

function shown(value) {
  if (value instanceof Date) return { date: value.toISOString().replace('.000Z', 'Z') };
  if (Array.isArray(value)) return value.map(shown);
  if (value === undefined) return null;
  if (!value?._version) return value;
  const fields = Object.entries(value).filter(([name]) => !name.startsWith('_'));
  return each(Object.fromEntries(fields), ([name, field]) => [snake(name), shown(field)]);
}

// The sids on each page to the last one, and then on each page back to the first.
async function pages(first) {
  const found = [];
  let last;
  for (let page = first; page; page = await page.nextPage()) {
    found.push(page.instances.map(({ sid }) => sid));
    last = page;
  }
  while ((last = await last.previousPage())) found.push(last.instances.map(({ sid }) => sid));
  return found;
}

// A form in which a name may stand more than once, as the frameworks of the web hand it over.
function values(pairs) {
  const form = {};
  for (const [name, value] of pairs) form[name] = name in form ? [form[name], value].flat() : value;
  return form;
}

function answer({ do: what, at, with: wanted = {}, ...order }) {
  const client = order.patiently ? patient : usual;
  const form = values(order.form ?? []);
  if (what === 'sign') return twilio.getExpectedTwilioSignature(order.token, order.url, form);
  if (what === 'validate') return twilio.validateRequest(order.token, order.signature, order.url, form);
  if (what === 'documents') return each(documents, ([name, document]) => [name, document.toString()]);
  if (what === 'pages') return resource(client, at).page(inCamels(wanted)).then(pages);
  const call = what === 'delete' ? 'remove' : what;
  const given = Object.keys(wanted).length > 0 ? [inCamels(wanted)] : [];
  return resource(client, at)[call](...given).then(shown);
}

async function told(line) {
  try {
    return { answer: await answer(JSON.parse(line)) };
  } catch (error) {
    if (!(error instanceof twilio.RestException)) throw error;
    const { status, code, message, moreInfo } = error;
    return { refused: { status, code, message, more_info: moreInfo } };
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await told(line)));
  }
})();
