"""A certificate on disk when the disk is full or the program is killed. Ids A as in the project's
checklist of ACME."""
import signal
import stat
import time

import acme_case
import programs
from small_disk import SmallDisk, fill

setUpModule = acme_case.set_up


class Disk(acme_case.AcmeTest):
    def small_disk(self):
        """A tool whose directory is a file system of 64 kB; its path as this process sees it."""
        disk = SmallDisk(self.directory / "tool/acme", 64)
        tool = self.tool(prefix=disk.prefix)
        return tool, disk.seen_by(tool)

    def test_A10_a_disk_that_is_full_before_is_noticed_before_the_authority_is_asked(self):
        tool, disk = self.small_disk()
        tool.obtain()
        serial = self.check_pair(disk / "certificate.pem")
        fill(disk)
        orders = len(self.at.orders)
        tool.tell("request")
        answer = tool.step_until(lambda it: it["failed"] > 0)
        self.assertEqual(acme_case.failure(answer)["kind"], "local")
        self.assertEqual(len(self.at.orders), orders)
        self.assertEqual(self.check_pair(disk / "certificate.pem"), serial)
        (disk / "filler").unlink()
        tool.tell("request")
        tool.step_until(lambda it: it["obtained"] == 2)
        self.assertNotEqual(self.check_pair(disk / "certificate.pem"), serial)

    def test_A10_a_disk_that_fills_while_a_certificate_is_issued_leaves_the_old_one(self):
        tool, disk = self.small_disk()
        tool.obtain()
        serial = self.check_pair(disk / "certificate.pem")
        self.at.on_issue = lambda: fill(disk)
        tool.tell("request")
        answer = tool.step_until(lambda it: it["failed"] > 0)
        self.assertEqual(acme_case.failure(answer)["kind"], "local")
        self.assertEqual(self.check_pair(disk / "certificate.pem"), serial)
        self.assertEqual(sorted(it.name for it in disk.iterdir() if "tmp" in it.name), [])

    def test_A10_killed_at_any_moment_chain_and_key_stay_a_pair(self):
        path = self.directory / "tool" / "acme" / "certificate.pem"
        serials = set()
        for i in range(8):
            tool = self.tool()
            tool.tell("request")
            tool.process.stdin.write(b"step\n" * 4)
            tool.process.stdin.flush()
            if i == 0:
                programs.wait_until(path.exists, 30, "the first certificate")
            # An issuance takes a little more than a second.
            time.sleep(0.9 + 0.1 * i if i else 0)
            tool.process.send_signal(signal.SIGKILL)
            tool.close()
            serials.add(self.check_pair(path))
            mode = stat.S_IMODE(path.stat().st_mode)
            self.assertEqual(mode, 0o600)
        again = self.tool()
        again.step_until(lambda it: it["wait"] > 100)
        self.assertGreater(len(serials), 0)


if __name__ == "__main__":
    programs.main()
