"""What timepool-ntpd has given up once it runs, and that it does all of its work all the same."""
import os
import pwd
import shutil
import socket

from programs import ProgramTest, main, own_directory, wait_until
from sandboxed import restricted, statuses

LOCAL = '[server.local]\nstratum = 1\nrefid = "TEST"\n'


def answered(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(address)
        s.settimeout(3)
        s.send(b"\x23" + bytes(47))
        return len(s.recv(100)) == 48


class Sandbox(ProgramTest):
    @restricted
    def test_every_thread_has_given_up_what_it_does_not_need(self):
        source = self.start("timepool-ntpd", f'[server]\nlisten = ["127.0.0.1:0"]\n{LOCAL}')
        host, port = source.listening("server")
        directory = own_directory(self.addCleanup)
        program = self.start("timepool-ntpd", (
            '[server]\nlisten = ["127.0.0.1:0"]\nthreads = 2\n[sources]\nmin_sources = 1\n'
            f'[[sources.server]]\naddress = "{host}"\nport = {port}\niburst = true\n'
            '[[sources.server]]\naddress = "localhost"\nport = 9\n'
            f'[log]\ndirectory = "{directory}"\nmeasurements = true\n'), directory=directory)
        wait_until(lambda: program.control("sources")["sources"][0]["reach"] & 1, 20, "an answer")
        log = directory / "measurements.log"
        wait_until(log.exists, 10, "the log is written")
        threads = statuses(program.process.pid)
        self.assertGreaterEqual(len(threads), 3)
        for status in threads:
            self.assertEqual(status["NoNewPrivs"], "1", status["Name"])
            self.assertEqual(status["Seccomp"], "2", status["Name"])
            for kind in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
                self.assertEqual(int(status[kind], 16), 0, f"{kind} of {status['Name']}")
            if os.geteuid() == 0:
                self.assertEqual(int(status["CapBnd"], 16), 0)
        self.assertRegex(program.output(), r"restricted by (landlock and )?seccomp; user \d+, "
                                           "capabilities none")

    @restricted
    def test_the_log_tells_of_the_capabilities_that_it_has_and_no_others(self):
        if os.geteuid() != 0 or not shutil.which("setpriv"):
            self.skipTest("needs root and setpriv, to begin without a capability")
        config = ('[server]\nlisten = ["127.0.0.1:0"]\n[sources]\nmin_sources = 1\n'
                  'acquisition_port = 1000\n[[sources.server]]\naddress = "127.0.0.1"\nport = 9\n')
        for prefix, told, held in (
                ((), "CAP_NET_BIND_SERVICE", 1 << 10),
                (("setpriv", "--bounding-set", "-net_bind_service"), "none", 0)):
            with self.subTest(prefix=prefix):
                program = self.start("timepool-ntpd", config, prefix=prefix)
                self.assertIn(f", capabilities {told}\n", program.output())
                self.assertEqual(int(statuses(program.process.pid)[0]["CapEff"], 16), held)

    @restricted
    def test_the_restrictions_can_be_switched_off(self):
        program = self.start("timepool-ntpd", '[server]\nlisten = ["127.0.0.1:0"]\n'
                                              '[sandbox]\nseccomp = false\nlandlock = false\n')
        self.assertEqual(statuses(program.process.pid)[0]["Seccomp"], "0")
        self.assertIn("restricted by nothing", program.output())

    # After becoming another user the leak checker may not look into its own process.
    @restricted
    def test_it_becomes_another_user_and_works_on(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to become somebody else")
        nobody = pwd.getpwnam("nobody")
        probe = self.start("timepool-ntpd", '[server]\nlisten = ["127.0.0.1:0"]\n')
        directory = probe.directory
        probe.stop()
        shutil.chown(directory, nobody.pw_uid, nobody.pw_gid)
        config = (f'[server]\nlisten = ["127.0.0.1:0"]\nthreads = 2\n{LOCAL}'
                  '[sandbox]\nuser = "nobody"\n')
        program = self.start("timepool-ntpd", config, directory=directory)
        for status in statuses(program.process.pid):
            self.assertEqual(status["Uid"].split(), [str(nobody.pw_uid)] * 4)
            self.assertEqual(int(status["CapEff"], 16), 0)
        self.assertEqual(program.socket.stat().st_uid, nobody.pw_uid)
        self.assertTrue(answered(program.listening("server")))
        program.write_config(config.replace("stratum = 1", "stratum = 7"))
        self.assertTrue(program.control("reload")["ok"])
        self.assertEqual(program.control("status")["server"]["stratum"], 7)
        self.assertEqual(program.stop(), 0)
        self.assertFalse(program.socket.exists())

    def test_an_unknown_user_is_an_error_that_names_the_setting(self):
        program = self.start("timepool-ntpd", '[server]\nlisten = ["127.0.0.1:0"]\n[sandbox]\n'
                                              'user = "no-such-user"\n', wait=False)
        self.assertEqual(program.process.wait(10), 1)
        self.assertIn("[sandbox] user: user no-such-user: there is none", program.output())

    @restricted
    def test_a_reload_says_what_the_restrictions_forbid(self):
        outside = self.start("timepool-ntpd", '[server]\nlisten = ["127.0.0.1:0"]\n').directory
        (outside / "leap-seconds.list").write_text("#$ 1\n")
        program = self.start("timepool-ntpd", f'[server]\nlisten = ["127.0.0.1:0"]\n{LOCAL}')
        if "landlock" not in program.output():
            self.skipTest("this kernel has no Landlock")
        program.write_config(f'leap_file = "{outside}/leap-seconds.list"\n'
                             f'[server]\nlisten = ["127.0.0.1:0"]\n{LOCAL}')
        answer = program.control("reload")
        self.assertEqual(answer["needs_restart"],
                         [f"sandbox.landlock: {outside} is not among what may be opened"])
        self.assertIn("leap-seconds.list: Permission denied", program.output())
        self.assertTrue(answered(program.listening("server")))
        # Inside its own directory it may.
        shutil.copy(outside / "leap-seconds.list", program.directory)
        program.write_config(f'leap_file = "{program.directory}/leap-seconds.list"\n'
                             f'[server]\nlisten = ["127.0.0.1:0"]\n{LOCAL}')
        self.assertEqual(program.control("reload")["needs_restart"], [])

    def test_sandbox_settings_need_a_restart(self):
        program = self.start("timepool-ntpd", '[server]\nlisten = ["127.0.0.1:0"]\n')
        program.write_config('[server]\nlisten = ["127.0.0.1:0"]\n[sandbox]\nseccomp = false\n')
        for _ in range(2):
            self.assertEqual(program.control("reload")["needs_restart"], ["sandbox"])


if __name__ == "__main__":
    main()
