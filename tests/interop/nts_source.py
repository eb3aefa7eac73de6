"""timepool-ntpd as the client of an NTS server of others: settings, and what is to come of it."""
from programs import wait_until

# Seconds; a loaded machine may delay one way of an exchange.
CLOSE = 0.02


def settings(address, port, authority):
    """One source, by NTS and no other way, asked each second."""
    return ('[sources]\nmin_sources = 1\nauth_selection = "require"\n'
            f'[[server]]\naddress = "{address}"\nnts = "require"\nnts_port = {port}\n'
            f'nts_ca = ["{authority.certificate}"]\niburst = true\nminpoll = 0\nmaxpoll = 0\n')


def source(client):
    return client.control("sources")["sources"][0]


def wait_selected(client, known=""):
    wait_until(lambda: source(client)["status"] == "selected", 90, f"selected by NTS\n{known}")


def check_kept(test, client, address):
    """The source is selected, and kept by the cookies that come with its answers, at `address`, host and
    port."""
    wait_selected(client)

    def established():
        return client.control("security")["key_establishments"]["established"]
    # NC4: eight cookies, after more polls than that. A loaded machine that answers late may be taken
    # for one that lost its keys, and be asked for others.
    wait_until(lambda: source(client)["requests"] > 8 * established() + 4, 60, "more polls than cookies")
    wait_until(lambda: source(client)["nts"]["cookies"] == 8, 20, "the jar is full again")
    found = source(client)
    test.assertEqual((found["address"], found["authentication"]), (address, "nts"))
    test.assertEqual(found["nts"]["aead"], "AES-SIV-CMAC-256")
    test.assertTrue(found["nts"]["proven"])
    # Both read the same clock: the truth is 0.
    test.assertLess(abs(found["offset_s"]), CLOSE)
    # No try was in vain.
    test.assertEqual(set(client.control("security")["key_establishments"]), {"established"})
