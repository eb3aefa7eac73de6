"""The networks in which clocks are compared: delays, jitter, wander and loss as in chrony's own
simulations where it has such a one, and what each client is told of them."""

SERVER_ADDRESS = "192.168.123.%d"


def delays(pairs, expression):
    return "".join(f"node{a}_delay{b} = {expression}\nnode{b}_delay{a} = {expression}\n" for a, b in pairs)


def path(base, jitter):
    return f"(+ {base} (* {jitter} (exponential)))"


# Our client steers the clock.
CLOCK = "clock = \"steer\"\n"


class Network:
    """One network: `servers` servers with perfect clocks, and the client as the last node.

    Times in seconds: the run ends at `limit`; the root mean square counts from `since`; the client is
    synchronised once its offset stays within `within`.
    """

    def __init__(self, name, text, *, base="1e-4", jitter=1e-4, wander=1e-9, servers=1, offset=0.1,
                 frequency=1e-4, limit=10000, since=210, within=1e-3, down=None, chrony="iburst",
                 timepool="iburst = true", chrony_more="", timepool_more="", server_more="",
                 sources_more="", refclock=None, environment=None):
        self.name = name
        self.text = text
        self.servers = servers
        self.limit = limit
        self.since = since
        self.within = within
        self.environment = environment or {}
        self.server_more = server_more
        self._chrony = (chrony, chrony_more)
        self._timepool = (timepool, timepool_more)
        self._sources_more = sources_more
        self.client = servers + 1
        up = path(base, jitter)
        lines = [f"node{self.client}_freq = (+ {frequency} (sum (* {wander} (normal))))",
                 f"node{self.client}_offset = {offset}"]
        for n in range(1, servers + 1):
            lines += [f"node{self.client}_delay{n} = {up}", f"node{n}_delay{self.client} = {down or up}"]
        if refclock:
            lines += [f"node{n}_refclock = {refclock}" for n in range(1, self.client + 1)]
        self.network = "\n".join(lines) + "\n"

    def server_config(self):
        """chronyd's, for the servers of both sides."""
        return "local stratum 1\n" + self.server_more

    def chrony_config(self):
        options, more = self._chrony
        return "".join(f"server {SERVER_ADDRESS % n} {options}\n"
                       for n in range(1, self.servers + 1 if options is not None else 1)) + more

    def timepool_config(self):
        options, more = self._timepool
        text = CLOCK + "[sources]\nmin_sources = 1\n" + self._sources_more
        if options is not None:
            text += "".join(f'[[server]]\naddress = "{SERVER_ADDRESS % n}"\n{options}\n'
                            for n in range(1, self.servers + 1))
        return text + more


# A third of the packets each way does not arrive.
LOST = "(* -1 (equal 0.333333333 (uniform) 0))"
# Packets pass for 1200 of each 10,000 seconds, as in chrony's simulation of it.
INTERMITTENT = "(* -1 (equal 0.1 (min (% time 10000) 1200) 1200))"

NETWORKS = [
    Network("default", "100 us and 100 us of jitter, wander 1e-9"),
    Network("jitter", "100 ms of jitter", jitter=1e-1, offset=1, within=0.5),
    Network("wander", "wander 1e-7", wander=1e-7, within=5e-3),
    Network("asymmetric", "jitter of 500 us, 97 % of it one way", jitter=9.7e-4, down=path("1e-4", 3e-5),
            limit=30000, within=2e-3),
    Network("wan", "four servers, 15 ms and 2 ms of jitter", base="15e-3", jitter=2e-3, servers=4,
            limit=20000, within=5e-3),
    Network("lan", "hardware timestamps, interleaved, poll 0", base="1e-5", jitter=1e-6, refclock="(* 1e-8 (normal))",
            chrony="iburst minpoll 0 maxpoll 0 xleave", chrony_more="hwtimestamp *\n", server_more="hwtimestamp *\n",
            timepool="iburst = true\nminpoll = 0\nmaxpoll = 0\ninterleaved = true",
            sources_more='hardware_timestamps = ["auto"]\n', limit=4000, within=1e-5),
    Network("loss", "a third of the packets lost each way", base=f"(+ 1e-4 {LOST})"),
    Network("intermittent", "connected 1200 of each 10,000 s", base=f"(+ 1e-4 {INTERMITTENT})", limit=100000,
            within=1e-1),
    Network("refclock", "shared memory, 100 us of noise", chrony=None, timepool=None, refclock="(* 1e-4 (normal))",
            chrony_more="refclock SHM 0 delay 1e-3 refid GPS\n",
            timepool_more='[[refclock]]\ndriver = "shm"\ndelay = "1ms"\nrefid = "GPS"\n'),
]
