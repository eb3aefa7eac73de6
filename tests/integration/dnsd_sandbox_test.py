"""What timepool-dnsd has given up once it runs, and that it does all of its work all the same."""
import json
import os
import pwd
import shutil
import ssl
import socket
import unittest

import certificates
from dns_messages import ask_udp, framed, query, read_tcp
from programs import ProgramTest, endpoint, main, own_directory, wait_until
from sandboxed import restricted, statuses

@restricted
class Sandbox(ProgramTest):
    def setUp(self):
        self.directory = own_directory(self.addCleanup)
        self.directory.chmod(0o755)
        self.zones = self.directory / "zones"
        self.zones.mkdir()
        self.put("10.1.0.1")

    def put(self, address, serial=1):
        zone = {"serial": serial, "ttl": 60, "max_hosts": 4, "targeting": "@ country", "data": {
            "": {"ns": ["ns1.pool.test."]}, "www": {"a": [[address, 1]]},
            "www.de": {"a": [["10.9.0.1", 1]]}}}
        new = self.zones / ".new"
        new.write_text(json.dumps(zone))
        os.replace(new, self.zones / "pool.test.json")

    def config(self, more=""):
        return (f'[server]\nlisten = ["127.0.0.1:0"]\nthreads = 2\n[tcp]\nthreads = 2\n'
                f'[zones]\ndirectory = "{self.zones}"\n[metrics]\nlisten = "127.0.0.1:0"\n{more}')

    def serve(self, more="", **options):
        program = self.start("timepool-dnsd", self.config(more), **options)
        program.address = program.listening()
        return program

    def test_every_thread_has_given_up_what_it_does_not_need(self):
        program = self.serve()
        ask_udp(program.address, "www.pool.test")
        threads = statuses(program.process.pid)
        self.assertGreaterEqual(len(threads), 6)
        for status in threads:
            self.assertEqual(status["NoNewPrivs"], "1", status["Name"])
            self.assertEqual(status["Seccomp"], "2", status["Name"])
            for kind in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
                self.assertEqual(int(status[kind], 16), 0, f"{kind} of {status['Name']}")
        self.assertRegex(program.output(), r"restricted by (landlock and )?seccomp; user \d+, "
                                           "capabilities none")

    def test_the_restrictions_can_be_switched_off(self):
        program = self.serve('[sandbox]\nseccomp = false\nlandlock = false\n')
        self.assertEqual(statuses(program.process.pid)[0]["Seccomp"], "0")
        self.assertIn("restricted by nothing", program.output())

    def test_files_that_no_setting_named_stay_closed_to_a_reload(self):
        program = self.serve()
        if "landlock" not in program.output():
            self.skipTest("this kernel has no landlock")
        elsewhere = own_directory(self.addCleanup)
        shutil.copy(self.zones / "pool.test.json", elsewhere / "other.test.json")
        program.write_config(self.config().replace(str(self.zones), str(elsewhere)))
        answer = program.control("reload")
        told = json.dumps(answer) + program.output()
        self.assertIn(str(elsewhere), told)
        self.assertEqual(ask_udp(program.address, "other.test").rcode, 5)

    def check_work(self, program, secure, authority):
        """Zones change, certificates change, the configuration is read again, metrics are told."""
        self.put("10.1.0.2", 2)
        wait_until(lambda: ask_udp(program.address, "www.pool.test").addresses == ["10.1.0.2"], 20,
                   "the changed zone")
        context = ssl.create_default_context(cafile=str(authority.certificate))
        with socket.create_connection(secure, timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname="dns.test") as stream:
                stream.sendall(framed(query("www.pool.test")))
                self.assertEqual(read_tcp(stream).addresses, ["10.1.0.2"])
        metrics = endpoint(program.control("status")["metrics"][0])
        with socket.create_connection(metrics, timeout=10) as stream:
            stream.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            text = b""
            while part := stream.recv(65536):
                text += part
        self.assertIn(b'timepool_dnsd_queries_total{transport="tls",reason="answered"} 1', text)
        self.assertIn(b'timepool_dnsd_tls_handshakes_total{outcome="done"} 1', text)

    @unittest.skipIf(certificates.OPENSSL is None, "needs openssl (package openssl)")
    def test_it_works_inside(self):
        authority = certificates.Authority(self.directory)
        chain, key = authority.issue("dns", "DNS:dns.test")
        tls = (f'[tls]\nlisten = ["127.0.0.1:0"]\n[[tls.certificate]]\nchain = "{chain}"\n'
               f'key = "{key}"\n')
        program = self.serve(tls)
        secure = endpoint(program.control("status")["tls_listen"][0])
        self.check_work(program, secure, authority)
        authority.issue("dns", "DNS:new.test")
        # A country of the configuration, as a geographic file that changed: read anew in the reload.
        program.write_config(self.config(tls + '[geoip]\noverrides = { "127.0.0.0/8" = "de" }\n'))
        self.assertEqual(program.control("reload")["ok"], True, program.output())
        context = ssl.create_default_context(cafile=str(authority.certificate))
        with socket.create_connection(secure, timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname="new.test") as stream:
                stream.sendall(framed(query("www.pool.test")))
                self.assertEqual(read_tcp(stream).addresses, ["10.9.0.1"])

    def test_it_becomes_another_user_and_works_on(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to become somebody else")
        nobody = pwd.getpwnam("nobody")
        directory = own_directory(self.addCleanup)
        shutil.chown(directory, nobody.pw_uid, nobody.pw_gid)
        program = self.serve('[sandbox]\nuser = "nobody"\n', directory=directory)
        for status in statuses(program.process.pid):
            self.assertEqual(status["Uid"].split(), [str(nobody.pw_uid)] * 4)
            self.assertEqual(int(status["CapEff"], 16), 0)
        self.assertEqual(program.socket.stat().st_uid, nobody.pw_uid)
        self.put("10.1.0.3", 3)
        wait_until(lambda: ask_udp(program.address, "www.pool.test").addresses == ["10.1.0.3"], 20,
                   "the changed zone")
        self.assertEqual(program.stop(), 0)


if __name__ == "__main__":
    main()
