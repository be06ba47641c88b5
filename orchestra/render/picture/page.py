"""The style and the script of the HTML page."""

from __future__ import annotations

PAGE_STYLE = """
:root{color-scheme:light dark;--paper:#ffffff;--ink:#1b2430;--quiet:#566273;--edge:#c3ccd8;--panel:#f3f6fa;
--bad:#c02626;--good:#0b7a55;--session:#1d5fc4;--use:#7a3fb8;--dial:#0b7a55}
@media (prefers-color-scheme:dark){:root{--paper:#11161d;--ink:#e8edf4;--quiet:#a3afbf;--edge:#3b4757;--panel:#1a212b;
--bad:#ff8080;--good:#4fcf9f;--session:#6fa8ff;--use:#c39bf2;--dial:#4fcf9f}}
*{box-sizing:border-box}
body{margin:0;display:grid;grid-template-columns:minmax(18rem,26rem) 1fr;min-height:100vh;background:var(--paper);
color:var(--ink);font:14px/1.5 Inter,"Segoe UI","Helvetica Neue",Helvetica,Arial,"Liberation Sans",
"DejaVu Sans",sans-serif}
aside{padding:20px;border-right:1px solid var(--edge);background:var(--panel);overflow:auto;max-height:100vh;
position:sticky;top:0}
h1{font-size:18px;margin:0}
aside p{margin:.3em 0}
nav ul,nav ol{list-style:none;margin:0;padding:0}
nav>ul{margin-top:16px}
nav>ul>li{margin:6px 0}
button{all:unset;box-sizing:border-box;display:block;width:100%;padding:7px 12px;border:1px solid var(--edge);
border-radius:8px;background:var(--paper);cursor:pointer}
button:hover{border-color:var(--session)}
button:focus-visible{outline:3px solid var(--session);outline-offset:1px}
button[aria-expanded=true]{border-color:var(--session);box-shadow:inset 4px 0 var(--session)}
section{padding:8px 4px 12px 12px;font-size:13px;overflow-wrap:anywhere}
section ol>li{margin:8px 0}
section li ul{margin:2px 0 0 26px}
section>ul{margin-left:14px;list-style:disc}
section .notes{list-style:none;margin:10px 0 0;padding:8px 10px;border-left:3px solid var(--edge)}
.step{display:inline-block;min-width:18px;height:18px;border-radius:9px;text-align:center;line-height:18px;font-size:11px;
font-weight:700;color:var(--paper);background:var(--dial)}
.step.session{background:var(--session)}.step.use{background:var(--use)}
.step.denied{background:var(--bad)}
.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;
font-size:.92em}
.quiet{color:var(--quiet)}.good{color:var(--good)}.bad{color:var(--bad)}
main{overflow:auto;padding:8px;outline:none}
main svg{display:block;margin:auto;max-width:max(100%,1400px);height:auto}
.orchestra .lit{cursor:pointer}
.orchestra.chosen [data-tunnels]:not(.lit){opacity:.2}
.orchestra.chosen .node:not(.lit){opacity:.45}
@media (max-width:60rem){body{display:block}aside{position:static;max-height:none;border:0}}
@media print{aside{position:static;max-height:none}}
"""

SCRIPT = """
"use strict";
const picture = document.querySelector("svg.orchestra");
const buttons = [...document.querySelectorAll("button[data-tunnel]")];
const panel = button => document.getElementById(button.getAttribute("aria-controls"));
const named = element => (element.getAttribute("data-tunnels") || "").split(" ");
let chosen = null;
function choose(name) {
  chosen = name;
  picture.classList.toggle("chosen", name !== null);
  for (const element of picture.querySelectorAll(".node,[data-tunnels]"))
    element.classList.toggle("lit", name !== null && named(element).includes(name));
  for (const button of buttons) {
    const open = button.dataset.tunnel === name;
    button.setAttribute("aria-expanded", String(open));
    panel(button).hidden = !open;
    if (open) button.scrollIntoView({block: "nearest"});
  }
  const path = [...picture.querySelectorAll(".arrow.lit")];
  if (path.length) path.at(-1).scrollIntoView({block: "nearest", inline: "nearest"});
  history.replaceState(null, "", name === null ? "#" : "#" + encodeURIComponent(name));
}
for (const [index, button] of buttons.entries()) {
  button.addEventListener("click", () => choose(button.dataset.tunnel === chosen ? null : button.dataset.tunnel));
  button.addEventListener("keydown", event => {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (!step) return;
    event.preventDefault();
    buttons[(index + step + buttons.length) % buttons.length].focus();
  });
}
picture.addEventListener("click", event => {
  const part = event.target.closest("[data-tunnels]");
  if (!part) return choose(null);
  const names = named(part);
  choose(names[(names.indexOf(chosen) + 1) % names.length]);
});
document.addEventListener("keydown", event => { if (event.key === "Escape") choose(null); });
const wanted = decodeURIComponent(location.hash.slice(1));
const shown = buttons.find(each => each.dataset.tunnel === wanted) || (buttons.length === 1 ? buttons[0] : null);
choose(shown && shown.dataset.tunnel);
"""
