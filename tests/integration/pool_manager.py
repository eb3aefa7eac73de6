"""timepool-poold for a test: its settings, its API."""
import http.client
import json
import threading

import manager_program


class Manager(manager_program.Manager):
    """Every server is fit for its zone, so that only NTS decides who is in SRV."""

    def __init__(self, directory, nts="", monitors="", interval="100ms",
                 overrides='"10.1.0.0/16" = "de", "10.2.0.0/16" = "us"'):
        super().__init__(
            directory, zones="min_score = -100\nnegative_ttl = 45", geoip=f"overrides = {{ {overrides} }}", nts=nts,
            monitors=f'check_interval = "{interval}"\nbad_interval = "{interval}"\nbatch = 500\n{monitors}')
        self.local = threading.local()
        self.connections = []
        self.token = self.admin_token()

    def call(self, method, path, body=None, token=None, **headers):
        """(status, JSON); each thread has a connection of its own."""
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=60)
            self.connections.append(self.local.connection)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = "Bearer " + (token or self.token)
        self.local.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.local.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None

    def close(self):
        for connection in self.connections:
            connection.close()
        super().close()

    def add(self, address, **more):
        status, answer = self.call("POST", "/v1/servers", {"address": address, **more})
        assert status == 201, answer

    def set_name(self, address, name, **more):
        return self.call("PUT", f"/v1/servers/{address}/name", {"name": name, **more})

    def nts(self, address):
        return self.call("GET", "/v1/servers/" + address)[1]["nts"]
