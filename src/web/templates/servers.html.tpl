{{%AUTOESCAPE context="HTML"}}
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{POOL}}: servers</title>
<link rel="stylesheet" href="{{STYLE}}">
</head>
<body>
<header>
<h1>{{POOL}}</h1>
<p>{{SERVERS}} servers, {{IN_DNS}} of them in DNS; {{MONITORS}} monitors; snapshot {{SERIAL}}.</p>
</header>
<main>
{{#TABLE}}
<div class="scroll">
<table>
<caption>Servers and their scores. A server with {{MIN_SCORE}} or more is in DNS.</caption>
<thead>
<tr><th scope="col">Server</th><th scope="col">Zones</th><th scope="col" class="number">Netspeed</th>
<th scope="col" class="number">Score</th><th scope="col" class="number">Stratum</th>
<th scope="col" class="number">Offset</th><th scope="col" class="number">Round trip</th>
<th scope="col">Last check</th><th scope="col">DNS</th><th scope="col">NTS</th></tr>
</thead>
<tbody>
{{#SERVER}}
<tr><th scope="row"><a href="/scores/{{ADDRESS}}">{{ADDRESS}}</a>{{#HOSTNAME}}<br><small>{{NAME}}</small>{{/HOSTNAME}}</th>
<td>{{ZONES}}</td><td class="number">{{NETSPEED}}</td>
<td class="number"><span class="score {{GRADE}}">{{SCORE}}</span></td><td class="number">{{STRATUM}}</td>
<td class="number">{{OFFSET}}</td><td class="number">{{RTT}}</td><td>{{CHECKED}}</td>
<td>{{DNS}}</td><td>{{NTS_STATE}}</td></tr>
{{/SERVER}}
</tbody>
</table>
</div>
{{/TABLE}}
{{#EMPTY}}
<p>No server is registered yet.</p>
{{/EMPTY}}
</main>
<footer><p><a href="/v1/servers">The same as JSON</a> · <a href="/metrics">Metrics</a></p></footer>
</body>
</html>
