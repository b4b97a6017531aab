// How the widget looks. It has a style sheet of its own inside its shadow, where the page's rules do not reach; what a page may
// set are the variables: `echo-widget { --echo-primary: #0a7; }`.

const STYLE = `
:host {
  all: initial;
  position: fixed; inset: auto; z-index: 2147483000;
  --text: var(--echo-text, #1f2937); --muted: var(--echo-muted, #57606f);
  --back: var(--echo-background, #ffffff); --soft: var(--echo-surface, #f3f5f8);
  --line: var(--echo-border, #d9dee6); --warn: var(--echo-warning, #b42318);
  --primary: var(--echo-primary, var(--own-primary)); --on-primary: var(--echo-on-primary, var(--own-on-primary));
  --radius: var(--echo-radius, 16px);
  font: 15px/1.5 var(--echo-font, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif);
  color: var(--text); color-scheme: light;
}
:host([data-theme=dark]) {
  --text: var(--echo-text, #e6e9ef); --muted: var(--echo-muted, #a4adbb);
  --back: var(--echo-background, #171b22); --soft: var(--echo-surface, #232933);
  --line: var(--echo-border, #39424f); --warn: var(--echo-warning, #ff9d92);
  color-scheme: dark;
}
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
button, textarea, input { font: inherit; color: inherit; }
button { cursor: pointer; border: 0; background: none; padding: 0; }
:focus-visible { outline: 2px solid var(--text); outline-offset: 2px; }
.icon { width: 20px; height: 20px; display: block; fill: none; stroke: currentColor; stroke-width: 1.8;
  stroke-linecap: round; stroke-linejoin: round; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.launcher { position: fixed; width: 58px; height: 58px; border-radius: 50%; display: grid; place-items: center;
  background: var(--primary); color: var(--on-primary); box-shadow: 0 6px 20px rgb(15 23 42 / .28); transition: transform .15s; }
.launcher:hover { transform: translateY(-2px); }
.launcher:focus-visible { outline: 3px solid var(--primary); outline-offset: 3px; }
.launcher .icon { width: 26px; height: 26px; }
.panel { position: fixed; width: 384px; height: min(620px, 100dvh - 112px); display: flex; flex-direction: column; overflow: hidden;
  background: var(--back); border: 1px solid var(--line); border-radius: var(--radius);
  box-shadow: 0 16px 48px rgb(15 23 42 / .24); animation: rise .18s ease-out; }
@keyframes rise { from { opacity: 0; transform: translateY(10px); } }
:host([data-position$=right]) :is(.launcher, .panel) { right: 20px; }
:host([data-position$=left]) :is(.launcher, .panel) { left: 20px; }
:host([data-position^=bottom]) .launcher { bottom: 20px; }
:host([data-position^=bottom]) .panel { bottom: 92px; }
:host([data-position^=top]) .launcher { top: 20px; }
:host([data-position^=top]) .panel { top: 92px; }

header { display: flex; align-items: center; gap: 4px; padding: 14px 12px 14px 18px; background: var(--primary); color: var(--on-primary); }
h2 { flex: 1; margin: 0; font-size: 16px; font-weight: 650; line-height: 1.3; overflow-wrap: anywhere; }
header button { padding: 8px; border-radius: 10px; }
header button:hover { background: rgb(255 255 255 / .16); }
header button:focus-visible { outline-color: currentColor; outline-offset: -2px; }

.log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 18px 16px 8px; display: flex; flex-direction: column; gap: 14px;
  overflow-wrap: anywhere; }
.log:focus-visible { outline-offset: -3px; }
.question { align-self: flex-end; max-width: 86%; padding: 9px 14px; border-radius: 16px 16px 4px 16px; white-space: pre-wrap;
  background: var(--primary); color: var(--on-primary); }
.answer, .hello, .ticket { align-self: flex-start; max-width: 94%; }
.bubble { padding: 10px 14px; border-radius: 4px 16px 16px 16px; background: var(--soft); width: fit-content; max-width: 100%; }
.bubble :is(p, ul, ol, pre) { margin: 0 0 8px; }
.bubble > :last-child { margin-bottom: 0; }
.bubble p { white-space: pre-line; }
.bubble :is(ul, ol) { padding-left: 22px; }
.bubble .heading { font-weight: 650; }
.bubble code { font: .9em ui-monospace, Menlo, Consolas, monospace; background: var(--back); border-radius: 5px; padding: 1px 5px; }
.bubble pre { overflow-x: auto; background: var(--back); border-radius: 8px; padding: 10px 12px; }
.bubble pre code { padding: 0; background: none; }
a { color: inherit; text-decoration: underline; text-decoration-color: var(--muted); text-underline-offset: 2px; }
a:hover { text-decoration-color: currentColor; text-decoration-thickness: 2px; }
.mark { display: inline-block; min-width: 18px; padding: 0 5px; margin: 0 2px; border-radius: 9px; font-size: 11.5px; line-height: 18px;
  font-weight: 650; text-align: center; vertical-align: 1px; background: var(--back); border: 1px solid var(--line); }
.mark:hover { border-color: currentColor; }
.waiting { display: flex; gap: 5px; padding: 6px 2px; }
.waiting i { width: 7px; height: 7px; border-radius: 50%; background: var(--muted); animation: wait 1.2s infinite; }
.waiting i:nth-child(2) { animation-delay: .15s; }
.waiting i:nth-child(3) { animation-delay: .3s; }
@keyframes wait { 0%, 60%, 100% { opacity: .3; } 30% { opacity: 1; } }

.sources { margin: 8px 0 0; font-size: 13px; color: var(--muted); }
.sources h3 { margin: 0 0 2px; font-size: 12px; font-weight: 650; }
.sources ol { list-style: none; margin: 0; padding: 0; display: grid; gap: 2px; }
.sources li { display: flex; gap: 7px; padding: 2px 4px; margin: 0 -4px; border-radius: 6px; }
.sources li > span { font-weight: 650; font-variant-numeric: tabular-nums; }
.sources .shown { background: var(--soft); color: var(--text); }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: 4px; margin-top: 6px; color: var(--muted); }
.actions .rate { padding: 6px; border-radius: 8px; }
.actions .rate .icon { width: 17px; height: 17px; }
.actions .rate:hover, .quiet:hover { background: var(--soft); color: var(--text); }
.actions [aria-pressed=true] { background: var(--soft); color: var(--text); }
.actions [aria-pressed=true] .icon { fill: currentColor; fill-opacity: .25; }
.quiet { padding: 4px 8px; border-radius: 8px; font-size: 13px; text-decoration: underline; text-underline-offset: 2px; }
.strong { display: inline-flex; align-items: center; gap: 7px; padding: 8px 14px; border-radius: 10px; font-weight: 600; text-align: start;
  background: var(--primary); color: var(--on-primary); }
.strong:hover { filter: brightness(.94); }
.strong .icon { flex: none; width: 18px; height: 18px; }
button:disabled { opacity: .55; cursor: default; }
.problem { margin: 6px 0 0; font-size: 13.5px; color: var(--warn); }
.ticket .bubble { border: 1px solid var(--line); }
.ticket code { font-size: 13px; user-select: all; }

form { border-top: 1px solid var(--line); padding: 12px 14px; }
.composer .row { display: flex; align-items: flex-end; gap: 8px; }
textarea, input { width: 100%; padding: 9px 12px; border: 1px solid var(--muted); border-radius: 12px; background: var(--back); }
textarea { resize: none; field-sizing: content; min-height: 42px; max-height: 132px; }
:is(textarea, input):focus-visible { outline-offset: 0; border-color: transparent; }
::placeholder { color: var(--muted); opacity: 1; }
[aria-invalid=true] { border-color: var(--warn); }
.send { flex: none; width: 42px; height: 42px; display: grid; place-items: center; border-radius: 12px;
  background: var(--primary); color: var(--on-primary); }
.counter { margin: 4px 2px 0; font-size: 12px; color: var(--muted); text-align: right; }
.counter.over { color: var(--warn); font-weight: 650; }
.person { overflow-y: auto; max-height: 75%; background: var(--back); }
.person h3 { margin: 0 0 2px; font-size: 15px; }
.person p { margin: 0 0 10px; font-size: 13.5px; color: var(--muted); }
.person label { display: block; font-size: 13.5px; font-weight: 600; margin-bottom: 10px; }
.person label > :is(input, textarea) { display: block; margin-top: 4px; font-weight: 400; }
.person .problem { color: var(--warn); }
.person .row { display: flex; gap: 8px; align-items: center; }

@media (max-width: 480px) {
  .panel { inset: 0 !important; width: auto; height: 100dvh; border: 0; border-radius: 0; animation: none; }
  :host([data-open]) .launcher { display: none; }
  textarea, input { font-size: 16px; }
}
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation: none !important; transition: none !important; }
}
@media (forced-colors: active) {
  .launcher, .send, .strong, .panel, .question, .bubble { border: 1px solid; }
}
`;

/** The style sheet, with this colour. Made by script: no policy about styles in a page forbids that. */
function sheetFor(primary) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`:host { --own-primary: ${primary.back}; --own-on-primary: ${primary.front}; } ${STYLE}`);
  return sheet;
}
