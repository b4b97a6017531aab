"""Does with Twilio's own library what each line of its input asks for, and says on a line what came of it. Its arguments:
where the carrier is, user name, password, account.

A date goes in and comes out as {"date": "2026-03-18T12:00:00Z"}, so that one which was not understood shows as a text."""

import json
import sys
from datetime import datetime, timezone

from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from documents import DOCUMENTS, canonical

CARRIER, USER, PASSWORD, ACCOUNT = sys.argv[1:]
DATE = "%Y-%m-%dT%H:%M:%SZ"


class ToTheSandbox(TwilioHttpClient):
    """Twilio's host is this carrier; nothing else of a request is changed."""

    def request(self, method, url, *args, **kwargs):
        return super().request(method, url.replace("https://api.twilio.com", CARRIER), *args, **kwargs)


client = Client(USER, PASSWORD, ACCOUNT, http_client=ToTheSandbox(timeout=30))


def resource(at):
    name, *sid = at
    return (client.api.accounts if name == "accounts" else getattr(client, name))(*sid) if sid else getattr(client, name)


def argument(value):
    if isinstance(value, dict):
        return datetime.strptime(value["date"], DATE).replace(tzinfo=timezone.utc)
    return value


def arguments(wanted):
    return {{"from": "from_"}.get(name, name): argument(value) for name, value in wanted.items()}


def shown(value):
    if isinstance(value, datetime):
        return {"date": value.astimezone(timezone.utc).strftime(DATE)}
    if isinstance(value, list):
        return [shown(item) for item in value]
    if hasattr(value, "_version"):
        fields = {"from" if name == "_from" else name: field for name, field in vars(value).items()}
        return {name: shown(field) for name, field in fields.items() if not name.startswith("_")}
    return value


def pages(first):
    """The sids on each page to the last one, and then on each page back to the first."""
    found, page = [], first
    while page:
        found.append([item.sid for item in page])
        last, page = page, page.next_page()
    while page := last.previous_page():
        found.append([item.sid for item in page])
        last = page
    return found


class Values(dict):
    """A form in which a name may stand more than once, as the frameworks of the web hand it over."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self.pairs = pairs

    def getlist(self, wanted):
        return [value for name, value in self.pairs if name == wanted]


def answer(order):
    do, form = order["do"], Values(order.get("form", []))
    validator = RequestValidator(order.get("token", ""))
    if do == "sign":
        return validator.compute_signature(order["url"], form)
    if do == "validate":
        return validator.validate(order["url"], form, order["signature"])
    if do == "documents":
        return {name: str(document) for name, document in DOCUMENTS.items()}
    if do == "canonical":
        return canonical(order["xml"])
    wanted = arguments(order.get("with", {}))
    target = resource(order["at"])
    return pages(target.page(**wanted)) if do == "pages" else shown(getattr(target, do)(**wanted))


for line in sys.stdin:
    try:
        told = {"answer": answer(json.loads(line))}
    except TwilioRestException as e:
        told = {"refused": {"status": e.status, "code": e.code, "message": e.msg}}
    print(json.dumps(told), flush=True)
