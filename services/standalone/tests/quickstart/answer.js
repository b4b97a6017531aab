// Reads an API answer for steps.sh. `field a.b` prints one value of it; `like FILE` compares it with the documented one, whose
// ids, times and shortened values only tell what kind of text is expected. The answer comes on standard input.
const { readFileSync } = require('fs');

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

// What is wrong with `seen` where the document says `told`; nothing when it fits.
function misfit(told, seen, place) {
  if (told !== null && typeof told === 'object') {
    if (seen === null || typeof seen !== 'object' || Array.isArray(told) !== Array.isArray(seen)) {
      return `${place}: ${JSON.stringify(seen)} is not like ${JSON.stringify(told)}`;
    }
    if (Array.isArray(told) && told.length !== seen.length) {
      return `${place}: ${seen.length} items instead of ${told.length}`;
    }
    return Object.keys(told).map((key) => misfit(told[key], seen[key], `${place}.${key}`)).find(Boolean);
  }
  const kind = [UUID, TIME].find((pattern) => pattern.test(told)) ?? (/^call-|\.\.\.$/.test(told) ? /./ : null);
  const fits = kind ? typeof seen === 'string' && kind.test(seen) : seen === told;
  return fits ? undefined : `${place}: ${JSON.stringify(seen)} instead of ${JSON.stringify(told)}`;
}

const [command, argument] = process.argv.slice(2);
const answer = JSON.parse(readFileSync(0, 'utf8'));

if (command === 'field') {
  const value = argument.split('.').reduce((object, key) => object?.[key], answer);
  if (typeof value !== 'string' || value === '') {
    console.error(`the answer has no ${argument}: ${JSON.stringify(answer)}`);
    process.exit(1);
  }
  console.log(value);
} else {
  const problem = misfit(JSON.parse(readFileSync(argument, 'utf8')), answer, 'answer');
  if (problem) {
    console.error(`${problem}\nThe whole answer: ${JSON.stringify(answer)}`);
    process.exit(1);
  }
}
