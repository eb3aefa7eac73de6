#include "cli/bench_streams.h"

#include <fmt/core.h>

#include <boost/json/object.hpp>
#include <fstream>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/print.h"
#include "load/generator.h"
#include "load/load_socket.h"
#include "load/stream_load.h"
#include "net/tls_bare_server.h"
#include "net/tls_certificate.h"
#include "sys/file.h"
#include "sys/secret_file.h"
#include "sys/stream_socket.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;

constexpr std::uint16_t kDnsPort = 53;
constexpr std::size_t kMaxFile = 256 << 10;

struct StreamArgs {
  load::StreamLoadOptions load;
  load::DnsTraffic::Options dns{70, false, false, 1};
  std::optional<Endpoint> target;
  std::optional<std::string> names;
  bool json = false;
};

double microseconds(Duration d) {
  return static_cast<double>(d.ns()) / 1000;
}

json::object json_of(const load::StreamLoadReport& report) {
  const load::LatencyHistogram& latency = report.latency;
  return {{"rate", report.rate()},
          {"answer_rate", report.answer_rate()},
          {"begun", report.begun},
          {"done", report.done},
          {"failed", report.failed},
          {"first_failure", report.first_failure},
          {"answered", report.answered},
          {"refused", report.refused},
          {"invalid", report.invalid},
          {"seconds", report.elapsed.to_seconds()},
          {"latency_us",
           {{"p50", microseconds(latency.percentile(0.5))},
            {"p99", microseconds(latency.percentile(0.99))},
            {"max", microseconds(latency.max())}}}};
}

std::string text_of(const load::StreamLoadReport& report) {
  const auto span = [&](double fraction) {
    return seconds_text(report.latency.percentile(fraction).to_seconds(), false);
  };
  std::string out = fmt::format(
      "{:.0f} connections/s, {:.0f} answers/s over {:.2f} s\n"
      "begun {}, done {}, failed {}; answered {}, refused {}, invalid {}\n"
      "a connection: median {}, 99 % {}, longest {}",
      report.rate(), report.answer_rate(), report.elapsed.to_seconds(), report.begun, report.done,
      report.failed, report.answered, report.refused, report.invalid, span(0.5), span(0.99),
      seconds_text(report.latency.max().to_seconds(), false));
  if (!report.first_failure.empty()) out += "\nthe first that failed: " + report.first_failure;
  return out;
}

int run_streams(StreamArgs& args) {
  args.load.target = args.target.value();
  std::vector<load::DnsQuestion> questions{{"pool.test", 1}, {"pool.test", 28}};
  if (args.names) {
    auto read = read_questions(*args.names);
    if (!read.ok()) return failed(read.error());
    questions = std::move(read).value();
  }
  const auto traffic = load::DnsTraffic::create(questions, args.dns);
  if (!traffic.ok()) return failed(traffic.error());
  const auto report = load::run(args.load, *traffic);
  if (!report.ok()) return failed(report.error());
  if (args.json) {
    print_json(json_of(*report));
  } else {
    print(text_of(*report));
  }
  return report->done > 0 ? kOk : failed("no answer from " + format(args.load.target));
}

struct LimitArgs {
  Endpoint listen{IpAddress::v4(0x7f000001), 0, 0};
  std::string chain;
  std::string key;
  Duration duration = Duration::seconds(30);
  std::optional<int> cpu;
};

Result<std::shared_ptr<const net::TlsServerContext>> context_of(const LimitArgs& args) {
  const std::string chain = TRY(sys::read_file(args.chain, kMaxFile));
  const std::string key =
      TRY(sys::read_secret_file(args.key, kMaxFile, sys::SecretGroup::kMayRead));
  net::TlsServerOptions options;
  options.protocol = std::string(net::kDnsOverTlsProtocol);
  options.protocol_required = false;
  options.tickets = 1;
  std::vector<net::TlsCertificate> certificates;
  certificates.push_back(TRY(net::TlsCertificate::parse(chain, key, args.chain)));
  return net::TlsServerContext::create(std::move(certificates), options);
}

Result<std::uint64_t> serve_limit(const LimitArgs& args) {
  TRY(load::check_target(args.listen.address, false));
  const auto context = TRY(context_of(args));
  sys::ListenOptions options;
  options.backlog = 4096;
  options.blocking = true;
  const sys::Fd listener =
      TRY(sys::listen_stream(args.listen, "listen on " + format(args.listen), options));
  TRY(load::pin_to_cpu(args.cpu));
  print("ready " + format(args.listen));
  return net::serve_bare_tls(listener.number(), *context, args.duration);
}

}  // namespace

Result<std::vector<load::DnsQuestion>> read_questions(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(Error{ErrorCode::kNotFound, "--names " + path, "can't be opened"});
  std::vector<load::DnsQuestion> questions;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    auto question = load::parse_question(line);
    if (!question.ok()) {
      question.error().operation = fmt::format("--names {}:{}", path, number);
      return fail(question.error());
    }
    questions.push_back(*question);
  }
  return questions;
}

void add_dns_streams(Command& bench) {
  const auto args = std::make_shared<StreamArgs>();
  load::StreamLoadOptions& load = args->load;
  Command command = bench.command("dns-stream", "DNS over TCP or TLS, by connections");
  command.option("--target", args->target, kDnsPort, "The server to measure, ADDR:PORT")
      .require("--target")
      .option("--count", load.count, 1, load::StreamLoadOptions::kMaxCount, "Connections to make")
      .option("--duration", load.duration, "Begin no more after this, at most 1h")
      .option("--inflight", load.inflight, 1, load::StreamLoadOptions::kMaxInflight,
              "Connections at a time")
      .option("--queries", load.queries, 0, load::StreamLoadOptions::kMaxQueries,
              "Queries on each; with --tls 0 is a handshake alone")
      .option("--pipeline", load.pipeline, 1, load::StreamLoadOptions::kMaxPipeline,
              "Queries sent ahead of their answers")
      .option("--timeout", load.timeout, "A connection that takes longer has failed")
      .flag("--tls", load.tls, "By TLS 1.3; the certificate is not looked at")
      .option("--name", load.name, "The server's name, which is asked for")
      .option("--names", args->names, "A file of questions, one a line: NAME [TYPE]")
      .option("--edns", args->dns.edns_percent, 0, 100, "Percent of the queries that carry EDNS")
      .option("--cpu", load.cpu, 0, 1023, "Run on this processor")
      .flag("--allow-private", load.allow_private,
            "Admit private addresses, inside a network namespace of its own")
      .flag("--json", args->json, "One JSON object instead of text");
  command.action([args] { return run_streams(*args); });
}

void add_tls_limit(Command& bench) {
  const auto args = std::make_shared<LimitArgs>();
  Command command =
      bench.command("tls-limit", "Accept TLS connections one by one and do nothing else");
  command.option("--listen", args->listen, kDnsPort, "Where to listen")
      .option("--chain", args->chain, "The certificate, a PEM file")
      .require("--chain")
      .option("--key", args->key, "Its key, a PEM file")
      .require("--key")
      .option("--duration", args->duration, "End after this, with the next connection")
      .option("--cpu", args->cpu, 0, 1023, "Run on this processor");
  command.action([args] {
    const auto done = serve_limit(*args);
    if (!done.ok()) return failed(done.error());
    print(fmt::format("{} handshakes", *done));
    return kOk;
  });
}

}  // namespace timepool::cli
