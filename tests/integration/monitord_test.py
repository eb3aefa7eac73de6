#!/usr/bin/python3
"""timepool-monitord as a black box, without a manager: reloading, and what it says of faults."""
import signal

from programs import ProgramTest, main, own_directory, wait_until


class Monitord(ProgramTest):
    def monitor(self):
        self.directory = own_directory(self.addCleanup)
        (self.directory / "token").write_text("secret\n")
        (self.directory / "token").chmod(0o600)
        return self.start("timepool-monitord", self.settings("15s"), directory=self.directory)

    def settings(self, wait):
        return f'''
[manager]
url = "http://127.0.0.1:9"
token_file = "{self.directory}/token"
wait = "{wait}"
[spool]
directory = "{self.directory}/spool"
[sanity]
mode = "none"
'''

    def test_sighup_starts_it_anew_and_keeps_the_old_settings_on_error(self):
        program = self.monitor()
        program.write_config(self.settings("20s"))
        program.signal(signal.SIGHUP)
        wait_until(lambda: program.output().count("ready: works for") == 2, 10, "it starts anew")
        self.assertIn("configuration reloaded", program.output())
        program.write_config(self.settings("20s").replace("wait", "weight"))
        program.signal(signal.SIGHUP)
        wait_until(lambda: program.output().count("ready: works for") == 3, 10, "it starts again")
        self.assertIn('unknown key "weight"', program.output())
        self.assertTrue(program.control("status")["ok"])
        self.assertEqual(program.stop(), 0)


if __name__ == "__main__":
    main()
