#include "cli/ntp_asking.h"

#include <fmt/core.h>
#include <poll.h>

#include <array>
#include <optional>

#include "cli/print.h"
#include "net/resolver.h"
#include "sys/clock.h"
#include "sys/udp_socket.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;

ntp::LocalTime local_now() {
  const sys::ClockSample sample = sys::sample_clocks();
  return {sample.mono, sample.unix_time};
}

// Waits for events on the socket until `end`; nothing when the time is up.
std::optional<short> wait_for(int fd, MonoTime end) {
  const Duration left = end - sys::mono_now();
  if (left <= Duration()) return std::nullopt;
  pollfd waiting{fd, POLLIN | POLLPRI, 0};
  const std::int64_t ms = (left.ns() + 999'999) / 1'000'000;
  const int count = ::poll(&waiting, 1, static_cast<int>(ms));
  if (count == 0) return std::nullopt;
  return count < 0 ? short{0} : waiting.revents;
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

}  // namespace

ntp::ExchangeConfig exchange_config(Duration timeout) {
  ntp::ExchangeConfig out;
  out.precision = static_cast<std::int8_t>(sys::measure_precision());
  out.max_delay = timeout;
  return out;
}

Result<Answer> ask(const Endpoint& server, Duration timeout, ntp::Query& query,
                   ntp::RandomStream& random) {
  sys::UdpOptions options;
  options.rx_timestamps = true;
  options.tx_timestamps = true;
  sys::UdpSocket socket = TRY(sys::UdpSocket::connect(server, options));
  const MonoTime end = sys::mono_now() + timeout;
  const Bytes request = query.start(local_now(), random);
  if (request.empty()) return Answer{{}, "nothing is left to prove a request by"};
  TRY(socket.send(request));
  Answer out{{}, "no answer within " + format(timeout)};
  while (const auto ready = wait_for(socket.fd(), end)) {
    // Only when there is one: a simulator hands out the answer instead.
    if ((*ready & (POLLPRI | POLLERR)) != 0) {
      if (const auto sent = socket.transmit_timestamp()) query.handle_transmit_timestamp({*sent});
    }
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

std::string text_of(const Answer& answer) {
  if (!answer.failure.empty()) return answer.failure;
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
  return fmt::format("{} stratum {} refid {} leap {}{}", times, sample.stratum,
                     wire::ntp::format(sample.reference_id, sample.stratum), text_of(sample.leap),
                     judged);
}

Result<std::vector<IpAddress>> look_up(const std::string& host, const Families& families) {
  if (const auto address = parse_ip(host); address.ok()) return std::vector{*address};
  const auto family = families.v4   ? net::LookupFamily::kV4
                      : families.v6 ? net::LookupFamily::kV6
                                    : net::LookupFamily::kBoth;
  net::LookupResult found = TRY(net::lookup_blocking(host, family, {}));
  if (found.status != net::LookupStatus::kOk) {
    return fail(Error{
        ErrorCode::kNotFound, "look up " + host,
        std::string(net::name_of(found.status)) + "; give an address or a name that resolves"});
  }
  return std::move(found.addresses);
}

}  // namespace timepool::cli
