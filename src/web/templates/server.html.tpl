{{%AUTOESCAPE context="HTML"}}
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ADDRESS}}: score {{SCORE}}</title>
<link rel="stylesheet" href="{{STYLE}}">
</head>
<body>
<header>
<p><a href="/">{{POOL}}</a></p>
<h1>{{ADDRESS}}</h1>
{{#HOSTNAME}}<p>{{NAME}}</p>{{/HOSTNAME}}
</header>
<main>
<dl class="facts">
<div><dt>Score</dt><dd><span class="score {{GRADE}}">{{SCORE}}</span></dd></div>
<div><dt>DNS</dt><dd>{{DNS}}</dd></div>
<div><dt>Zones</dt><dd>{{ZONES}}</dd></div>
<div><dt>Netspeed</dt><dd>{{NETSPEED}}</dd></div>
<div><dt>Share of answers</dt><dd>{{SHARE}}</dd></div>
<div><dt>Stratum</dt><dd>{{STRATUM}}</dd></div>
<div><dt>Last check</dt><dd>{{CHECKED}}</dd></div>
</dl>
<section>
<h2>History</h2>
{{GRAPH:none}}
<p><a href="/scores/{{ADDRESS}}/log?limit=200&amp;monitor=*">As CSV</a> ·
<a href="/scores/{{ADDRESS}}/json?limit=200&amp;monitor=*">as JSON</a></p>
</section>
<section id="nts">
<h2>Network Time Security</h2>
{{#FAULT}}<p class="fault" role="alert">{{FAULT_TEXT}}</p>{{/FAULT}}
{{#NTS}}
<dl class="facts">
<div><dt>Name</dt><dd>{{FULL_NAME}}</dd></div>
<div><dt>Port</dt><dd>{{PORT}}</dd></div>
<div><dt>State</dt><dd>{{STATE}}</dd></div>
<div><dt>Since</dt><dd>{{SINCE}}</dd></div>
<div><dt>Certificate ends</dt><dd>{{NOT_AFTER}}</dd></div>
<div><dt>Last check</dt><dd>{{CHECKED}}</dd></div>
</dl>
<div class="scroll">
<table>
<caption>Changes of the name and its state</caption>
<thead>
<tr><th scope="col">Time</th><th scope="col">Name</th><th scope="col">State</th><th scope="col">Reason</th></tr>
</thead>
<tbody>
{{#NTS_CHANGE}}
<tr><td>{{TIME}}</td><td>{{NAME}}</td><td>{{STATE}}</td><td>{{REASON}}</td></tr>
{{/NTS_CHANGE}}
</tbody>
</table>
</div>
<div class="scroll">
<table>
<caption>Last checks of NTS</caption>
<thead>
<tr><th scope="col">Time</th><th scope="col">Monitor</th><th scope="col" class="number">Key establishment</th>
<th scope="col" class="number">Cookies</th><th scope="col" class="number">Offset</th><th scope="col">Result</th></tr>
</thead>
<tbody>
{{#NTS_CHECK}}
<tr><td>{{TIME}}</td><td>{{MONITOR_NAME}}</td><td class="number">{{KE}}</td><td class="number">{{COOKIES}}</td>
<td class="number">{{OFFSET}}</td><td>{{OUTCOME}}</td></tr>
{{/NTS_CHECK}}
</tbody>
</table>
</div>
{{/NTS}}
<form class="fields" method="post" action="/scores/{{ADDRESS}}/name">
<label>Name <input name="name" value="{{FORM_NAME}}" maxlength="255" autocomplete="off" autocapitalize="none" spellcheck="false"></label>
<label>Port <input name="port" value="{{FORM_PORT}}" maxlength="5" inputmode="numeric" placeholder="4460"></label>
<label>Accounts that may order its certificate, with spaces between
<input name="account_uris" value="{{FORM_ACCOUNTS}}" maxlength="1100" placeholder="any" spellcheck="false"></label>
<label>Token of the administration <input name="token" type="password" required autocomplete="off"></label>
<p><button name="action" value="set">Set the name</button>
{{#REMOVABLE}}<button name="action" value="remove">Remove the name</button>{{/REMOVABLE}}</p>
</form>
</section>
<section>
<h2>Monitors</h2>
<div class="scroll">
<table>
<thead>
<tr><th scope="col">Monitor</th><th scope="col">Status</th><th scope="col" class="number">Score</th>
<th scope="col" class="number">Offset</th><th scope="col" class="number">Round trip</th>
<th scope="col">Last check</th><th scope="col">Result</th></tr>
</thead>
<tbody>
{{#MONITOR}}
<tr><th scope="row">{{MONITOR_NAME}}</th><td>{{STATUS}}</td>
<td class="number"><span class="score {{GRADE}}">{{SCORE}}</span></td><td class="number">{{OFFSET}}</td>
<td class="number">{{RTT}}</td><td>{{CHECKED}}</td><td>{{RESULT}}</td></tr>
{{/MONITOR}}
</tbody>
</table>
</div>
</section>
<section>
<h2>Last checks</h2>
<div class="scroll">
<table>
<thead>
<tr><th scope="col">Time</th><th scope="col">Monitor</th><th scope="col" class="number">Offset</th>
<th scope="col" class="number">Round trip</th><th scope="col" class="number">Samples lost</th>
<th scope="col" class="number">Step</th><th scope="col" class="number">Score</th><th scope="col">Result</th></tr>
</thead>
<tbody>
{{#CHECK}}
<tr><td>{{TIME}}</td><td>{{MONITOR_NAME}}</td><td class="number">{{OFFSET}}</td><td class="number">{{RTT}}</td>
<td class="number">{{LOST}}</td><td class="number">{{STEP}}</td><td class="number">{{SCORE}}</td><td>{{RESULT}}</td></tr>
{{/CHECK}}
</tbody>
</table>
</div>
</section>
</main>
<footer><p><a href="/v1/servers/{{ADDRESS}}">The same as JSON</a></p></footer>
</body>
</html>
