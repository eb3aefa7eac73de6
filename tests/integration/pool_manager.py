"""timepool-poold for a test: its settings, its API."""
import http.client
import json
import re
import subprocess
import threading

from programs import BINARY_DIR, Program


class Manager(Program):
    """Every server is fit for its zone, so that only NTS decides who is in SRV."""

    def __init__(self, directory, nts="", monitors="", interval="100ms",
                 overrides='"10.1.0.0/16" = "de", "10.2.0.0/16" = "us"'):
        config = f'''
[http]
listen = ["127.0.0.1:0"]
[store]
path = "{directory}/pool.db"
[admin]
token_file = "{directory}/admin.token"
[publish]
key_file = "{directory}/snapshot.key"
[servers]
allow_private = true
[monitors]
check_interval = "{interval}"
bad_interval = "{interval}"
batch = 500
{monitors}
[zones]
name_servers = ["ns1.pool.test"]
min_score = -100
[geoip]
overrides = {{ {overrides} }}
[nts]
{nts}
'''
        self.url = None
        (directory / "log").write_text("")
        super().__init__("timepool-poold", config, directory)
        self.local = threading.local()
        self.connections = []
        self.token = (directory / "admin.token").read_text().strip()

    def write_config(self, config):
        self.config.write_text(config)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}:\n{self.output()}")
        found = re.search(r"listening on (http://\S+)", self.output())
        self.url = found and found.group(1)
        return self.url and "ready" in self.output()

    def public_key(self):
        return subprocess.run([BINARY_DIR / "bin/timepool-poold", "--config", self.config, "--print-public-key"],
                              capture_output=True, text=True, timeout=20, check=True).stdout.strip()

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
