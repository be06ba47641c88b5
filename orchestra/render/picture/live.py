"""The page of a running orchestra: the picture of its plan, with what is true of every hop now.

The page itself is always the same and holds nothing: its script asks for the status, the events and the picture, and
writes what it is told as text, never as markup. Its policy (CSP) allows its one style, its one script, and questions to
where it came from.
"""

from __future__ import annotations

from orchestra.render.picture.html import digest
from orchestra.render.picture.live_script import SCRIPT
from orchestra.render.picture.theme import STYLE

_STATES = """
.orchestra [data-state=open]>.line,.orchestra [data-state=ready]>.line{stroke:var(--good)}
.orchestra [data-state=open]>.head,.orchestra [data-state=ready]>.head{fill:var(--good)}
.orchestra [data-state=retrying]>.line,.orchestra [data-state=failed]>.line,.orchestra [data-state=degraded]>.line{
stroke:var(--bad);stroke-dasharray:3 5}
.orchestra [data-state=retrying]>.head,.orchestra [data-state=failed]>.head,.orchestra [data-state=degraded]>.head{
fill:var(--bad)}
.orchestra [data-state=waiting]>.line,.orchestra [data-state=connecting]>.line,.orchestra [data-state=starting]>.line,
.orchestra [data-state=closed]>.line{stroke:var(--quiet);stroke-dasharray:1 6}
.orchestra .node[data-state=open]>.box{stroke:var(--good);stroke-width:2}
.orchestra .node[data-state=retrying]>.box,.orchestra .node[data-state=failed]>.box{stroke:var(--bad);stroke-width:2;
stroke-dasharray:5 4}
.orchestra .sign circle{fill:var(--paper);stroke:currentColor;stroke-width:1.5}
.orchestra .sign text{fill:currentColor;font-size:11px;font-weight:700;text-anchor:middle}
"""
_PAGE = """
:root{color-scheme:light dark;--paper:#ffffff;--ink:#1b2430;--quiet:#566273;--edge:#c3ccd8;--panel:#f3f6fa;
--bad:#c02626;--good:#0b7a55;--session:#1d5fc4}
@media (prefers-color-scheme:dark){:root{--paper:#11161d;--ink:#e8edf4;--quiet:#a3afbf;--edge:#3b4757;--panel:#1a212b;
--bad:#ff8080;--good:#4fcf9f;--session:#6fa8ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:14px/1.5 Inter,"Segoe UI","Helvetica Neue",Helvetica,Arial,
"Liberation Sans","DejaVu Sans",sans-serif}
header,main>section{padding:12px 20px}
header{border-bottom:1px solid var(--edge);background:var(--panel)}
h1,h2{font-size:18px;margin:0}
h2{font-size:14px;margin:0 0 6px}
header p,form p{margin:.2em 0}
#picture{overflow:auto}
#picture svg{display:block;margin:auto;max-width:max(100%,1400px);height:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:4px 12px 4px 0;border-top:1px solid var(--edge);overflow-wrap:anywhere}
thead th{border:0;color:var(--quiet);font-weight:400}
ol{margin:0;padding:0;list-style:none}
ol li{padding:2px 0;overflow-wrap:anywhere}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.quiet{color:var(--quiet)}.good{color:var(--good)}.bad{color:var(--bad)}
.state{white-space:nowrap;font-weight:600}
input,button{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--edge);border-radius:6px;
padding:6px 10px}
input:focus-visible,button:focus-visible{outline:3px solid var(--session);outline-offset:1px}
[hidden]{display:none}
"""
_BODY = """
<header><h1 id="name">orchestra</h1>
<p><span id="state" class="state" role="status" aria-live="polite">asking …</span>
<span id="about" class="quiet"></span></p>
</header>
<form id="login" hidden><section>
<h2>Who asks?</h2>
<p>Open the address that <code>orchestra status --url</code> prints, or write the token here.</p>
<p><label>Token <input id="token" type="password" autocomplete="off" required></label> <button>Look</button></p>
<p id="refused" class="bad" role="alert"></p>
</section></form>
<main id="main" hidden>
<section id="picture" aria-label="Picture" tabindex="0"></section>
<section><h2 id="sessions-title">Sessions</h2><table aria-labelledby="sessions-title"><thead><tr>
<th scope="col">Session</th><th scope="col">State</th><th scope="col" class="number">Reconnects</th>
<th scope="col">Error</th></tr></thead><tbody id="sessions"></tbody></table></section>
<section><h2 id="tunnels-title">Tunnels</h2><table aria-labelledby="tunnels-title"><thead><tr>
<th scope="col">Tunnel</th><th scope="col">State</th><th scope="col">Listens</th>
<th scope="col" class="number">Connections</th><th scope="col" class="number">In</th>
<th scope="col" class="number">Out</th><th scope="col">Error</th></tr></thead>
<tbody id="tunnels"></tbody></table></section>
<section><h2>Lately</h2><ol id="lately"></ol></section>
</main>
<noscript><p>This page needs its script; <code>orchestra status --watch</code> shows the same in a terminal.</p>
</noscript>
"""
_WHOLE_STYLE = STYLE + _PAGE + _STATES

POLICY = (
    f"default-src 'none'; style-src '{digest(_WHOLE_STYLE)}'; script-src '{digest(SCRIPT)}'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The header ``Content-Security-Policy`` with which the page is to be sent."""


def live_page() -> str:
    """The page as HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>orchestra</title><style>{_WHOLE_STYLE}</style></head><body>{_BODY}<script>{SCRIPT}</script></body></html>\n"
    )
