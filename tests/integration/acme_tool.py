"""acme_tool (acme_tool.cc) as a test drives it."""
import json
import select
import subprocess

import programs

TOOL = programs.BINARY_DIR / "tests" / "acme_tool"


class Tool:
    """A keeper of certificates; settings as settings_of() of acme_tool.cc has them."""

    def __init__(self, directory, settings, prefix=()):
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self.settings = dict(path=str(directory / "acme"), **settings)
        config = directory / "tool.json"
        config.write_text(json.dumps(self.settings))
        self.log = open(directory / "tool.log", "ab")
        self.process = subprocess.Popen([*prefix, TOOL, config], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log,
                                        preexec_fn=programs.die_with_parent)

    def tell(self, *words, seconds=60):
        """The answer to a command."""
        self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            raise AssertionError(f"no answer to {words}:\n{self.output()}")
        return json.loads(line)

    def open(self):
        return self.tell("open")

    def step_until(self, condition, steps=50, seconds=60):
        """Steps, and waits as told up to some seconds, until condition(answer)."""
        for _ in range(steps):
            answer = self.tell("step", seconds=seconds)
            if condition(answer):
                return answer
        raise AssertionError(f"not in {steps} steps: {answer}\n{self.output()}")

    def obtain(self, seconds=60):
        """Steps until one more certificate is there; fails with the first failure."""
        before = self.tell("report")
        return self.step_until(lambda it: self.obtained(it, before), seconds=seconds)

    def obtained(self, answer, before):
        if answer["failed"] > before["failed"]:
            raise AssertionError(f"failed: {answer}\n{self.output()}")
        return answer["obtained"] > before["obtained"]

    def output(self, octets=6000):
        return (self.directory / "tool.log").read_text(errors="replace")[-octets:]

    def close(self):
        self.process.kill()
        self.process.wait()
        if self.process.stdin.closed:
            return
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()
