// timepool query: asks an NTP server for the time, once or a few times. Never touches the clock.
#include <fmt/core.h>
#include <poll.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <thread>

#include "cli/commands.h"
#include "cli/host_port.h"
#include "cli/print.h"
#include "net/resolver.h"
#include "ntp/query.h"
#include "sys/clock.h"
#include "sys/random.h"
#include "sys/udp_socket.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;

struct QueryOptions {
  std::string server;
  int count = 1;
  Duration interval = Duration::seconds(1);
  Duration timeout = Duration::seconds(2);
  bool v4 = false;
  bool v6 = false;
  bool json = false;
};

// What became of one request. `failure` is empty when there is an answer.
struct Answer {
  ntp::Reply reply;
  std::string failure;
};

ntp::LocalTime local_now() {
  const sys::ClockSample sample = sys::sample_clocks();
  return {sample.mono, sample.unix_time};
}

// Waits for events on the socket until `end`. False when the time is up.
bool wait_for(int fd, MonoTime end) {
  const Duration left = end - sys::mono_now();
  if (left <= Duration()) return false;
  pollfd waiting{fd, POLLIN | POLLPRI, 0};
  const std::int64_t ms = (left.ns() + 999'999) / 1'000'000;
  return ::poll(&waiting, 1, static_cast<int>(ms)) != 0;
}

Result<Answer> ask(const Endpoint& server, Duration timeout, ntp::Query& query,
                   ntp::RandomStream& random) {
  sys::UdpOptions options;
  options.rx_timestamps = true;
  options.tx_timestamps = true;
  sys::UdpSocket socket = TRY(sys::UdpSocket::connect(server, options));
  const MonoTime end = sys::mono_now() + timeout;
  TRY(socket.send(query.start(local_now(), random)));
  Answer out{{}, "no answer within " + format(timeout)};
  while (wait_for(socket.fd(), end)) {
    if (const auto sent = socket.transmit_timestamp()) query.handle_transmit_timestamp({*sent});
    std::array<std::byte, 2048> buffer;
    while (const auto datagram = TRY(socket.receive(buffer))) {
      out.reply = query.handle_datagram({local_now(), datagram->received},
                                        Bytes(buffer).first(datagram->length));
      if (ntp::is_answer(out.reply.reason)) {
        out.failure.clear();
        return out;
      }
      out.failure =
          "no answer, only a datagram that is none: " + std::string(ntp::name_of(out.reply.reason));
    }
  }
  return out;
}

const char* text_of(wire::ntp::Leap leap) {
  switch (leap) {
    case wire::ntp::Leap::kNone:
      return "none";
    case wire::ntp::Leap::kInsert:
      return "insert";
    case wire::ntp::Leap::kDelete:
      return "delete";
    case wire::ntp::Leap::kUnsynchronised:
      break;
  }
  return "unsynchronised";
}

json::object json_of(const Answer& answer) {
  if (!answer.failure.empty()) return {{"error", answer.failure}};
  const ntp::Sample& sample = answer.reply.sample;
  json::object out{{"result", ntp::name_of(answer.reply.reason)},
                   {"stratum", sample.stratum},
                   {"leap", text_of(sample.leap)},
                   {"reference_id", wire::ntp::format(sample.reference_id, sample.stratum)},
                   {"version", sample.version},
                   {"precision", sample.precision},
                   {"root_delay_s", sample.root_delay.to_seconds()},
                   {"root_dispersion_s", sample.root_dispersion.to_seconds()}};
  if (answer.reply.has_times) {
    out["offset_s"] = sample.offset.to_seconds();
    out["delay_s"] = sample.delay.to_seconds();
    out["dispersion_s"] = sample.dispersion.to_seconds();
    out["root_distance_s"] = sample.root_distance().to_seconds();
  }
  return out;
}

void print_answer(const Answer& answer) {
  if (!answer.failure.empty()) return print(answer.failure);
  const ntp::Sample& sample = answer.reply.sample;
  std::string times = "no usable times";
  if (answer.reply.has_times) {
    times = fmt::format("offset {} delay {} root distance {}",
                        seconds_text(sample.offset.to_seconds(), true),
                        seconds_text(sample.delay.to_seconds(), false),
                        seconds_text(sample.root_distance().to_seconds(), false));
  }
  std::string judged;
  if (answer.reply.reason != ntp::ReplyReason::kAccepted) {
    judged = " (not usable: " + std::string(ntp::name_of(answer.reply.reason)) + ")";
  }
  print(fmt::format("{} stratum {} refid {} leap {}{}", times, sample.stratum,
                    wire::ntp::format(sample.reference_id, sample.stratum), text_of(sample.leap),
                    judged));
}

Result<Endpoint> resolve(const QueryOptions& options) {
  constexpr std::uint16_t kNtpPort = 123;
  const HostPort server = TRY(parse_host_port(options.server, kNtpPort));
  const auto family = options.v4   ? net::LookupFamily::kV4
                      : options.v6 ? net::LookupFamily::kV6
                                   : net::LookupFamily::kBoth;
  const net::LookupResult found = TRY(net::lookup_blocking(server.host, family, {}));
  if (found.status != net::LookupStatus::kOk) {
    return fail(Error{
        ErrorCode::kNotFound, "look up " + server.host,
        std::string(net::name_of(found.status)) + "; give an address or a name that resolves"});
  }
  return Endpoint{found.addresses.front(), server.port};
}

int run(const QueryOptions& options) {
  const auto server = resolve(options);
  if (!server.ok()) return failed(server.error());
  ntp::ExchangeConfig config;
  config.precision = static_cast<std::int8_t>(sys::measure_precision());
  config.max_delay = options.timeout;
  ntp::Query query(config);
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
      print_answer(result);
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

}  // namespace

void add_query(Command& root) {
  const auto options = std::make_shared<QueryOptions>();
  Command query = root.command("query", "Ask an NTP server for the time; changes nothing");
  query.positional("server", options->server, "HOST, HOST:PORT, ADDRESS or [ADDRESS]:PORT")
      .option("-c,--count", options->count, 1, 1000, "How often to ask")
      .option("--interval", options->interval, "Time between two requests")
      .option("--timeout", options->timeout, "How long to wait for each answer")
      .flag("-4", options->v4, "Only an IPv4 address of the name")
      .flag("-6", options->v6, "Only an IPv6 address of the name")
      .flag("--json", options->json, "One JSON object instead of text")
      .footer(
          "offset: the server's clock less ours. The status is 1 when there was no answer.\n\n"
          "Examples:\n"
          "  timepool query time.example\n"
          "  timepool query 127.0.0.11:11123 --count 4 --json");
  query.action([options] { return run(*options); });
}

}  // namespace timepool::cli
