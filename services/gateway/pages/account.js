// Sends the form of a mailed link. The token stands behind the `#` of the address: browsers send that part to nobody.
const form = document.querySelector("form");
const status = form.querySelector("[role=status]");
const token = new URLSearchParams(location.hash.slice(1)).get("token");

// Nobody who looks over a shoulder or into the history finds it there.
history.replaceState(null, "", location.pathname);

function say(text) {
  status.textContent = text;
}

if (!token) {
  say("This address is not complete. Open the link as it stands in the mail.");
  form.querySelector("button").disabled = true;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const filled = [...new FormData(form)].filter(([, value]) => value !== "");
  const button = form.querySelector("button");
  button.disabled = true;
  say("One moment …");
  try {
    const answer = await fetch(form.dataset.action, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token, ...Object.fromEntries(filled) }),
    });
    if (answer.ok) {
      say(form.dataset.done);
      return;
    }
    const error = await answer.json();
    const places = error.details.map(({ field, problem }) => `${field} ${problem}`);
    say([error.message, ...places].join("; "));
  } catch {
    say("Echo did not answer. Try again in a moment.");
  }
  button.disabled = false;
});
