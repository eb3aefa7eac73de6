// timepool bench ntp|dns|dns-stream|udp|frames|nts-ke|echo|tls-limit: load, measured.
#include <fmt/core.h>

#include <boost/json/object.hpp>
#include <csignal>

#include "cli/bench_streams.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "crypto/aead.h"
#include "load/echo_server.h"
#include "load/frame_generator.h"
#include "load/generator.h"
#include "load/key_load.h"
#include "load/nts_traffic.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;

// RFC 8915 6: the port of NTS-KE.
constexpr std::uint16_t kKeyPort = 4460;

struct BenchOptions {
  load::LoadOptions load;
  std::optional<Endpoint> target;  // required: there whenever a run starts
  load::NtpTraffic::Options ntp;
  std::optional<std::string> key;
  std::optional<Endpoint> key_server;
  load::KeyPeer nts;
  std::optional<std::string> names;
  load::DnsTraffic::Options dns{70, false, false, 1};
  int dns_variety = 1;
  bool json = false;
};

double microseconds(Duration d) {
  return static_cast<double>(d.ns()) / 1000;
}

json::object json_of(const load::LoadReport& report) {
  const load::LatencyHistogram& latency = report.latency;
  return {{"rate", report.rate()},
          {"offered", report.offered()},
          {"sent", report.sent},
          {"answered", report.answered},
          {"interleaved", report.interleaved},
          {"proven", report.proven},
          {"lost", report.lost},
          {"refused", report.refused},
          {"invalid", report.invalid},
          {"unmatched", report.unmatched},
          {"seconds", report.elapsed.to_seconds()},
          {"latency_us",
           {{"p50", microseconds(latency.percentile(0.5))},
            {"p90", microseconds(latency.percentile(0.9))},
            {"p99", microseconds(latency.percentile(0.99))},
            {"p999", microseconds(latency.percentile(0.999))},
            {"max", microseconds(latency.max())}}}};
}

std::string text_of(const load::LoadReport& report) {
  const auto span = [&](double fraction) {
    return seconds_text(report.latency.percentile(fraction).to_seconds(), false);
  };
  std::string out = fmt::format(
      "{:.0f} answers/s over {:.2f} s\n"
      "sent {}, answered {}, lost {} ({:.3f} %), refused {}, invalid {}, unmatched {}\n"
      "latency: median {}, 90 % {}, 99 % {}, 99.9 % {}, longest {}",
      report.rate(), report.elapsed.to_seconds(), report.sent, report.answered, report.lost,
      report.lost_fraction() * 100, report.refused, report.invalid, report.unmatched, span(0.5),
      span(0.9), span(0.99), span(0.999), seconds_text(report.latency.max().to_seconds(), false));
  if (report.proven > 0) out += fmt::format("\nproven {} of the answers", report.proven);
  return out;
}

// The status is a failure when nothing at all was answered.
int report_run(const BenchOptions& options, const Result<load::LoadReport>& report) {
  if (!report.ok()) return failed(report.error());
  if (options.json) {
    print_json(json_of(*report));
  } else {
    print(text_of(*report));
  }
  return report->answered > 0 ? kOk
                              : failed("no answer from " + format(options.load.target) +
                                       ": is a server running there?");
}

Result<load::LoadReport> load_by_nts(BenchOptions& options) {
  if (options.key || options.ntp.interleaved) {
    return fail(Error{ErrorCode::kInvalid, "--nts", "goes with neither --key nor --interleaved"});
  }
  TRY(load::check_options(options.load));
  options.nts.server = options.key_server.value();
  const auto keys = TRY(load::NtsTraffic::establish(options.nts, options.load.allow_private));
  const auto traffic =
      TRY(load::NtsTraffic::create(keys, crypto::GcryptAeads(), options.load.slots()));
  return load::run(options.load, traffic);
}

int run_ntp(BenchOptions& options) {
  options.load.target = options.target.value();
  if (options.key_server) return report_run(options, load_by_nts(options));
  if (options.key) {
    auto keyed = load::NtpTraffic::with_key(*options.key, options.ntp);
    if (!keyed.ok()) return failed(keyed.error());
    options.ntp = std::move(keyed).value();
  }
  return report_run(options, load::run(options.load, load::NtpTraffic(options.ntp)));
}

int run_dns(BenchOptions& options) {
  options.load.target = options.target.value();
  std::vector<load::DnsQuestion> questions{{"pool.test", 1}, {"pool.test", 28}};
  if (options.names) {
    auto read = read_questions(*options.names);
    if (!read.ok()) return failed(read.error());
    questions = *read;
  }
  options.dns.variety = static_cast<std::size_t>(options.dns_variety);
  const auto traffic = load::DnsTraffic::create(questions, options.dns);
  if (!traffic.ok()) return failed(traffic.error());
  return report_run(options, load::run(options.load, *traffic));
}

void add_load_options(Command& command, const std::shared_ptr<BenchOptions>& options,
                      std::uint16_t port) {
  load::LoadOptions& load = options->load;
  command.option("--target", options->target, port, "The server to measure, ADDR:PORT")
      .require("--target")
      .option("--count", load.count, 1, load::LoadOptions::kMaxCount, "Requests to send")
      .option("--duration", load.duration, "Stop sending after this, at most 1h")
      .option("--rate", load.rate, 0, load::LoadOptions::kMaxRate,
              "Requests a second, evenly spaced, whatever comes back; 0: closed loop")
      .option("--sockets", load.sockets, 1, load::LoadOptions::kMaxSockets,
              "Sockets, each with its own source port")
      .option("--sources", load.sources,
              "Spread the sockets over the addresses of this prefix, which must be local")
      .option("--inflight", load.inflight, 1, 262144,
              "Requests under way at once, over all sockets")
      .option("--timeout", load.timeout, "A request without an answer after this is lost")
      .option("--cpu", load.cpu, 0, 1023, "Run on this processor")
      .flag("--allow-private", load.allow_private,
            "Admit private addresses, inside a network namespace of its own")
      .flag("--json", options->json, "One JSON object instead of text");
}

json::object json_of(const load::KeyLoadReport& report) {
  const load::LatencyHistogram& latency = report.latency;
  return {{"rate", report.rate()},
          {"begun", report.begun},
          {"established", report.established},
          {"refused", report.refused},
          {"failed", report.failed},
          {"first_failure", report.first_failure},
          {"cookies", report.cookies},
          {"seconds", report.elapsed.to_seconds()},
          {"latency_us",
           {{"p50", microseconds(latency.percentile(0.5))},
            {"p90", microseconds(latency.percentile(0.9))},
            {"p99", microseconds(latency.percentile(0.99))},
            {"max", microseconds(latency.max())}}}};
}

std::string text_of(const load::KeyLoadReport& report) {
  const auto span = [&](double fraction) {
    return seconds_text(report.latency.percentile(fraction).to_seconds(), false);
  };
  std::string out = fmt::format(
      "{:.0f} key establishments/s over {:.2f} s\n"
      "begun {}, established {}, refused {}, failed {}; {} cookies\n"
      "latency: median {}, 90 % {}, 99 % {}, longest {}",
      report.rate(), report.elapsed.to_seconds(), report.begun, report.established, report.refused,
      report.failed, report.cookies, span(0.5), span(0.9), span(0.99),
      seconds_text(report.latency.max().to_seconds(), false));
  if (!report.first_failure.empty()) out += "\nthe first that failed: " + report.first_failure;
  return out;
}

void add_key_options(Command& command, load::KeyPeer& peer) {
  command.option("--name", peer.name, "The key server's name, which is asked for")
      .option("--ca", peer.authority,
              "A PEM file of who may have signed its certificate; without it any will do")
      .flag("--gcm-siv", peer.gcm_siv, "Offer AES-128-GCM-SIV first");
}

void add_key_load(Command& bench) {
  struct KeyArgs {
    load::KeyLoadOptions load;
    std::optional<Endpoint> target;
    bool json = false;
  };
  const auto args = std::make_shared<KeyArgs>();
  load::KeyLoadOptions& load = args->load;
  Command keys = bench.command("nts-ke", "Key establishments of NTS (RFC 8915), each by itself");
  keys.option("--target", args->target, kKeyPort, "The server to measure, ADDR:PORT")
      .require("--target")
      .option("--count", load.count, 1, load::KeyLoadOptions::kMaxCount, "Connections to make")
      .option("--duration", load.duration, "Begin no more after this, at most 1h")
      .option("--inflight", load.inflight, 1, load::KeyLoadOptions::kMaxInflight,
              "Connections at a time")
      .option("--timeout", load.timeout, "A connection without an answer after this has failed")
      .option("--cpu", load.cpu, 0, 1023, "Run on this processor")
      .flag("--allow-private", load.allow_private,
            "Admit private addresses, inside a network namespace of its own")
      .flag("--json", args->json, "One JSON object instead of text");
  add_key_options(keys, load.peer);
  keys.action([args] {
    args->load.peer.server = args->target.value();
    const auto report = load::run(args->load);
    if (!report.ok()) return failed(report.error());
    if (args->json) {
      print_json(json_of(*report));
    } else {
      print(text_of(*report));
    }
    return report->established > 0 ? kOk : failed("no keys from " + format(args->load.peer.server));
  });
}

void add_echo_server(Command& bench) {
  struct EchoArgs {
    load::EchoOptions echo;
  };
  const auto args = std::make_shared<EchoArgs>();
  args->echo.listen = {IpAddress::v4(0x7f000001), 0};
  Command echo = bench.command("echo", "Send every datagram back: the peer of `bench udp`");
  echo.option("--listen", args->echo.listen, 0, "Where to listen; port 0 takes a free one")
      .option("--duration", args->echo.duration, "End after this, at most 1h")
      .option("--cpu", args->echo.cpu, 0, 1023, "Run on this processor")
      .option("--dns-answer", args->echo.dns_answer, 0, load::kMaxDnsAnswer,
              "Send it back as a DNS answer this much longer: the peer of `bench dns`")
      .flag("--allow-private", args->echo.allow_private,
            "Admit private addresses, inside a network namespace of its own");
  echo.action([args] {
    const auto ready = [](const Endpoint& where) { print("ready " + format(where)); };
    const auto sent = load::serve_echo(args->echo, [] { return false; }, ready);
    if (!sent.ok()) return failed(sent.error());
    print(fmt::format("{} datagrams sent back", *sent));
    return kOk;
  });
}

struct FrameArgs {
  load::FrameOptions frames;
  std::optional<Endpoint> target;
  bool json = false;
};

json::object json_of(const load::FrameReport& report) {
  return {{"rate", report.rate()},
          {"offered", report.offered()},
          {"sent", report.sent},
          {"unsent", report.unsent},
          {"answered", report.answered},
          {"lost", report.lost()},
          {"refused", report.refused},
          {"invalid", report.invalid},
          {"seconds", report.elapsed.to_seconds()}};
}

std::string text_of(const load::FrameReport& report) {
  return fmt::format(
      "{:.0f} requests/s over {:.2f} s\n"
      "sent {}, answered {}, lost {}, refused {}, invalid {}; {} did not reach the server's device",
      report.offered(), report.elapsed.to_seconds(), report.sent, report.answered, report.lost(),
      report.refused, report.invalid, report.unsent);
}

int run_frames(FrameArgs& args) {
  args.frames.target = args.target.value();
  const Result<load::FrameReport> report = load::run_frames(args.frames);
  if (!report.ok()) return failed(report.error());
  if (args.json) {
    print_json(json_of(*report));
  } else {
    print(text_of(*report));
  }
  return report->answered > 0 ? kOk
                              : failed("no answer from " + format(args.frames.target) +
                                       ": is a server running there?");
}

void add_frames(Command& bench) {
  const auto args = std::make_shared<FrameArgs>();
  load::FrameOptions& frames = args->frames;
  Command command = bench.command(
      "frames", "NTPv4 requests as a network driver's frames, over a veth pair, at a rate");
  command.option("--target", args->target, 123, "The server to measure, ADDR:PORT, private")
      .require("--target")
      .option("--device", frames.device, "Our end of the veth pair")
      .require("--device")
      .option("--server-device", frames.server_device, "The server's end of it")
      .require("--server-device")
      .option("--server-process", frames.server_process, 1, 1 << 22,
              "A process in the server's network namespace")
      .require("--server-process")
      .option("--sources", frames.sources, "Where the clients are, a prefix")
      .require("--sources")
      .option("--clients", frames.clients, 1, load::FrameOptions::kMaxClients,
              "How many ask, rounded up to a power of two")
      .option("--rate", frames.rate, load::FrameOptions::kMinRate, load::FrameOptions::kMaxRate,
              "Requests a second, evenly spaced, whatever comes back")
      .option("--duration", frames.duration, "For so long, at most 1m")
      .option("--timeout", frames.timeout, "How long the last replies may take")
      .option("--cpu", frames.cpu, 0, 1023, "Run on this processor")
      .flag("--json", args->json, "One JSON object instead of text");
  command.action([args] { return run_frames(*args); });
}

}  // namespace

void add_bench(Command& root) {
  Command bench = root.command("bench", "Load for a server on this machine, and what it answered");
  bench.footer(
      "Closed loop: each answer lets the next request go, so the rate is what server and path\n"
      "sustain together. With --rate an open loop: what is lost tells what they do not sustain.\n"
      "Only loopback addresses, unless --allow-private.\n\n"
      "Examples:\n"
      "  timepool bench ntp --target 127.0.0.1:11123 --count 500000\n"
      "  timepool bench dns --target 127.0.0.1:5300 --names names.txt --json");

  const auto ntp_options = std::make_shared<BenchOptions>();
  Command ntp = bench.command("ntp", "NTPv4 client requests");
  add_load_options(ntp, ntp_options, 123);
  ntp.flag("--interleaved", ntp_options->ntp.interleaved,
           "Ask in interleaved mode (RFC 9769) as soon as there was an answer")
      .option("--key", ntp_options->key,
              "Authenticate by this key, ID:TYPE:HEX, and so the answers")
      .option(
          "--nts", ntp_options->key_server, kKeyPort,
          "Authenticate by NTS (RFC 8915), with keys and cookies of this key server, ADDR:PORT");
  add_key_options(ntp, ntp_options->nts);
  ntp.action([ntp_options] { return run_ntp(*ntp_options); });

  const auto dns_options = std::make_shared<BenchOptions>();
  Command dns = bench.command("dns", "DNS queries");
  add_load_options(dns, dns_options, 53);
  dns.option("--names", dns_options->names, "A file of questions, one a line: NAME [TYPE]")
      .option("--edns", dns_options->dns.edns_percent, 0, 100,
              "Percent of the queries that carry EDNS")
      .flag("--dnssec", dns_options->dns.dnssec, "Those ask for signatures")
      .flag("--subnets", dns_options->dns.subnets,
            "Those name a client subnet, another for each (RFC 7871)")
      .option("--variety", dns_options->dns_variety, 1, 65536,
              "Ask each question this often before the first again, with other subnets");
  dns.action([dns_options] { return run_dns(*dns_options); });

  add_dns_streams(bench);
  add_tls_limit(bench);

  const auto udp_options = std::make_shared<BenchOptions>();
  Command udp = bench.command("udp", "The NTP requests, expected back unchanged (see bench echo)");
  add_load_options(udp, udp_options, 0);
  udp.action([udp_options] {
    udp_options->load.target = udp_options->target.value();
    return report_run(*udp_options, load::run(udp_options->load, load::EchoTraffic()));
  });

  add_frames(bench);
  add_key_load(bench);
  add_echo_server(bench);
}

}  // namespace timepool::cli
