"""timepool-poold for tests: on a free port, with all that it keeps in one directory."""
import pathlib
import re
import subprocess

from programs import BINARY_DIR, Program


class Manager(Program):
    """Found by the port that it logs. `more`: by section, lines of it beside those that every manager has."""

    def __init__(self, directory, **more):
        directory = pathlib.Path(directory)
        sections = {"http": 'listen = ["127.0.0.1:0"]',
                    "store": f'path = "{directory}/pool.db"',
                    "admin": f'token_file = "{directory}/admin.token"',
                    "publish": f'key_file = "{directory}/snapshot.key"',
                    "servers": "allow_private = true",
                    "zones": 'name_servers = ["ns1.pool.test"]'}
        for name, lines in more.items():
            sections[name] = f"{sections.get(name, '')}\n{lines}"
        self.url = None
        # One that was there before says nothing of this one.
        (directory / "log").write_text("")
        super().__init__("timepool-poold", "".join(f"[{name}]\n{lines}\n" for name, lines in sections.items()),
                         directory)

    def write_config(self, config):
        self.config.write_text(config)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}:\n{self.output()}")
        found = re.search(r"listening on (http://\S+)", self.output())
        self.url = found and found.group(1)
        return self.url and "ready" in self.output()

    def admin_token(self):
        return (self.directory / "admin.token").read_text().strip()

    def public_key(self):
        return subprocess.run([BINARY_DIR / "bin/timepool-poold", "--config", self.config, "--print-public-key"],
                              capture_output=True, text=True, timeout=20, check=True).stdout.strip()
