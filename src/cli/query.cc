// timepool query: asks an NTP server for the time, once or a few times. Never touches the clock.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <thread>

#include "cli/commands.h"
#include "cli/host_port.h"
#include "cli/ntp_asking.h"
#include "cli/print.h"
#include "cli/query_nts_pool.h"
#include "sys/random.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;

struct QueryOptions {
  std::string server;
  int count = 1;
  Duration interval = Duration::seconds(1);
  Duration timeout = Duration::seconds(2);
  Families families;
  bool json = false;
  bool nts = false;
  NtsQueryOptions of_nts;
  bool nts_pool = false;
  NtsPoolOptions of_pool;
};

Result<Endpoint> resolve(const QueryOptions& options) {
  constexpr std::uint16_t kNtpPort = 123;
  const HostPort server = TRY(parse_host_port(options.server, kNtpPort));
  const std::vector<IpAddress> addresses = TRY(look_up(server.host, options.families));
  return Endpoint{addresses.front(), server.port};
}

int run_plain(const QueryOptions& options) {
  const auto server = resolve(options);
  if (!server.ok()) return failed(server.error());
  ntp::Query query(exchange_config(options.timeout));
  ntp::RandomStream random({sys::random_u64(), sys::random_u64()});
  if (!options.json) print("server " + format(*server));
  json::array samples;
  int answers = 0;
  for (int i = 0; i < options.count; ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(options.interval.ns()));
    auto answer = ask(*server, options.timeout, query, random);
    const Answer result = answer.ok() ? *answer : Answer{{}, answer.error().text()};
    if (result.failure.empty()) ++answers;
    if (options.json) {
      samples.push_back(json_of(result));
    } else {
      print(text_of(result));
    }
  }
  if (options.json) {
    print_json(json::object{{"server", options.server},
                            {"address", format(server->address)},
                            {"port", server->port},
                            {"answers", answers},
                            {"samples", std::move(samples)}});
  }
  return answers > 0 ? kOk : kFailed;
}

int run(const QueryOptions& options) {
  if (!options.nts && !options.nts_pool) return run_plain(options);
  NtsQueryOptions nts = options.of_nts;
  nts.server = options.server;
  nts.count = options.count;
  nts.interval = options.interval;
  nts.timeout = options.timeout;
  nts.families = options.families;
  nts.json = options.json;
  if (!options.nts_pool) return query_nts(nts);
  NtsPoolOptions pool = options.of_pool;
  pool.query = nts;
  return query_nts_pool(pool);
}

}  // namespace

void add_query(Command& root) {
  const auto options = std::make_shared<QueryOptions>();
  NtsQueryOptions& nts = options->of_nts;
  Command query = root.command("query", "Ask an NTP server for the time; changes nothing");
  NtsPoolOptions& pool = options->of_pool;
  query.positional("server", options->server, "HOST, HOST:PORT, ADDRESS or [ADDRESS]:PORT")
      .option("-c,--count", options->count, 1, 1000, "How often to ask")
      .option("--interval", options->interval, "Time between two requests")
      .option("--timeout", options->timeout, "How long to wait for each answer")
      .flag("-4", options->families.v4, "Only an IPv4 address of the name")
      .flag("-6", options->families.v6, "Only an IPv6 address of the name")
      .flag("--json", options->json, "One JSON object instead of text")
      .flag("--nts", options->nts,
            "By Network Time Security: establish keys (port 4460), then ask; shows each step")
      .option("--ca", nts.ca, "PEM file of the authorities to trust instead of the system's")
      .option("--address", nts.address, "Establish keys at this address, not at the name's")
      .option("--aead", nts.aead, 1, 65535, "Offer this AEAD algorithm only: 15 or 30")
      .flag("--no-verify", nts.no_verify,
            "Go on with a certificate that is wrong; what is shown then may come from anybody")
      .flag("--nts-pool", options->nts_pool,
            "The name is a pool's: look up its SRV records, and do as --nts with the servers that "
            "they name; shows what DNSSEC proves")
      .option("--trust-anchor", pool.trust_anchor,
              "File of DS or DNSKEY records to believe instead of the system's root anchor")
      .option("--dns-server", pool.dns_server,
              "ADDRESS, ADDRESS:PORT: ask this DNS server, not those of /etc/resolv.conf")
      .flag("--full-resolution", pool.full_resolution,
            "Ask the zones' own DNS servers, from the root on")
      .flag("--or-suffix", pool.suffix,
            "Follow records without proof too, to servers within the pool's suffix")
      .option("--suffix", pool.suffix_template, "That suffix; without: *.m.{pool}")
      .option("--servers", pool.servers, 1, 64, "With how many of them keys are established")
      .footer(
          "offset: the server's clock less ours. The status is 1 when there was no answer, and "
          "with\n"
          "--nts when any step failed.\n\n"
          "Examples:\n"
          "  timepool query time.example\n"
          "  timepool query 127.0.0.11:11123 --count 4 --json\n"
          "  timepool query --nts time.example\n"
          "  timepool query --nts-pool pool.example");
  query.action([options] { return run(*options); });
}

}  // namespace timepool::cli
