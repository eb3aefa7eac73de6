"""timepool-poold for tests: on a free port, with all that it keeps in one directory, and its API."""
import http.client
import json
import pathlib
import re
import subprocess

from programs import BINARY_DIR, Program


def settings(directory, listen="127.0.0.1:0", database=None, **more):
    """What every manager has. `database`: not in `directory`; `more`: by section, further lines of it."""
    sections = {"http": f'listen = ["{listen}"]',
                "store": f'path = "{database or directory}/pool.db"',
                "admin": f'token_file = "{directory}/admin.token"',
                "publish": f'key_file = "{directory}/snapshot.key"',
                "servers": "allow_private = true",
                "zones": 'name_servers = ["ns1.pool.test"]'}
    for name, lines in more.items():
        sections[name] = f"{sections.get(name, '')}\n{lines}"
    return "".join(f"[{name}]\n{lines}\n" for name, lines in sections.items())


def request(url, method, path, body=None, token=None, timeout=60, **headers):
    """(status, what is answered) of a connection of its own; `body`: bytes, or what becomes JSON. OSError when there
    is no whole answer."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        headers["Authorization"] = "Bearer " + token
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body)
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=timeout)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as fault:
        raise OSError(f"{method} {path}: {fault!r}") from fault
    finally:
        connection.close()


def call(url, method, path, body=None, token=None, **more):
    """(status, JSON) of a `request`."""
    status, text = request(url, method, path, body, token, **more)
    return status, json.loads(text) if text else None


class Manager(Program):
    """Found by the port that it logs. `prefix`: of Program; `more`: of settings()."""

    def __init__(self, directory, prefix=(), **more):
        directory = pathlib.Path(directory)
        directory.mkdir(exist_ok=True)
        self.url = None
        # One that was there before says nothing of this one.
        (directory / "log").write_text("")
        super().__init__("timepool-poold", settings(directory, **more), directory, prefix=prefix)
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
        """As call(); by the administration unless `token` is another's."""
        return call(self.url, method, path, body, token or self.token, **headers)

    def made(self, path, body):
        """What a POST to `path` has made, as JSON."""
        status, answer = self.call("POST", path, body)
        assert status == 201, (status, answer)
        return answer

    def add(self, address, **more):
        return self.made("/v1/servers", {"address": address, **more})

    def add_monitor(self, name):
        """Its token."""
        return self.made("/v1/monitors", {"name": name})["token"]

    def set_name(self, address, name, **more):
        return self.call("PUT", f"/v1/servers/{address}/name", {"name": name, **more})

    def server(self, address):
        return self.call("GET", "/v1/servers/" + address)[1]

    def cli(self, *arguments):
        """`timepool pool server ...`, done."""
        return subprocess.run([BINARY_DIR / "bin/timepool", "pool", "server", *arguments, "--url", self.url,
                               "--token-file", self.directory / "admin.token"], capture_output=True, text=True,
                              timeout=60)
