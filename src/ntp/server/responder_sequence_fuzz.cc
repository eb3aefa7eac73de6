// Any sequence of datagrams to one worker's server with all that it remembers: each is at most
// 2,048 octets and comes from one of a few addresses. A reply is never longer than its request, is
// of mode 4, and no server answers it; every datagram has one reason. A datagram: who (8 bits), how
// long after the last (8), length in units of 8 (8), what is cut off its end (8), the rest is what
// it holds, over and over.
#include <algorithm>
#include <array>
#include <cstdint>

#include "base/check.h"
#include "ntp/server/responder.h"
#include "wire/ntp/packet.h"

namespace timepool::ntp {
namespace {

constexpr std::size_t kMaxDatagram = 2048;
constexpr std::size_t kPrefix = 4;

Service service_for(std::uint8_t flags) {
  Service out;
  if ((flags & 1) != 0) {
    out.state.leap = wire::ntp::Leap::kNone;
    out.state.stratum = 2;
  }
  if ((flags & 2) != 0) {
    const std::array deny{parse_prefix("192.0.2.0/30").value()};
    out.access = std::make_shared<AccessList>(
        std::make_shared<AccessRules>(AccessRules::build({}, deny).value()),
        std::vector<AccessList::Interface>());
  }
  out.limits.enabled = (flags & 4) != 0;
  out.limits.address = BucketRate::of(1, 2);
  out.limits.networks[0] = BucketRate::of(2, 8);
  out.limits.kiss = (flags & 8) != 0 ? 1 : 0;
  out.limits.leak = (flags & 16) != 0 ? 2 : 0;
  return out;
}

Responder::Options options() {
  return Responder::Options{.interleaved_replies = 16, .clients = 16, .seed = {}};
}

void check_reply(const RxInfo& rx, const Service& service, Bytes request, Bytes reply,
                 Responder& other) {
  CHECK(reply.size() <= request.size());
  const auto packet = wire::ntp::parse_packet(reply);
  CHECK(packet.ok());
  CHECK(packet->header.mode == wire::ntp::Mode::kServer);
  CHECK(packet->header.version == (std::to_integer<unsigned>(request[0]) >> 3 & 7));
  std::array<std::byte, kMaxDatagram> unwanted{};
  for (const std::uint16_t port : {std::uint16_t{123}, std::uint16_t{40'000}}) {
    RxInfo back = rx;
    back.client.port = port;
    CHECK(other.respond(back, reply, service, unwanted).verdict == Verdict::kDrop);
  }
}

}  // namespace
}  // namespace timepool::ntp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  using namespace timepool::ntp;
  if (size < 1 + kPrefix + 1) return 0;
  const Service service = service_for(data[0]);
  Responder server(options());
  Responder other(options());
  Bytes input = std::as_bytes(std::span(data + 1, size - 1));
  std::array<std::byte, kMaxDatagram> request{};
  std::array<std::byte, kMaxDatagram> out{};
  RxInfo rx;
  rx.received = UnixTime::from_seconds(1'795'000'000);
  rx.now = MonoTime::from_ns(1'000'000'000);
  for (int count = 0; count < 256 && input.size() > kPrefix; ++count) {
    const auto octet = [&input](std::size_t i) { return std::to_integer<std::uint32_t>(input[i]); };
    rx.client = {IpAddress::v4(0xc000'0200U | (octet(0) & 7U)),
                 static_cast<std::uint16_t>((octet(0) & 8U) != 0 ? 123 : 40'000), 0};
    rx.now = rx.now + Duration::milliseconds(octet(1) * 10);
    const std::size_t whole = (octet(2) + 1) * 8;
    const std::size_t length = whole - std::min<std::size_t>(octet(3) & 7U, whole);
    input = input.subspan(kPrefix);
    // What is there is used up 48 octets at a time and fills all of a longer datagram.
    const std::size_t taken = std::min(input.size(), wire::ntp::kHeaderSize);
    for (std::size_t i = 0; i < length; ++i) request[i] = input[i % taken];
    input = input.subspan(taken);
    const Bytes bytes = Bytes(request).first(length);
    const Response response = server.respond(rx, bytes, service, out);
    CHECK(static_cast<std::size_t>(response.reason) < kReasonCount);
    CHECK((response.verdict == Verdict::kReply) == (response.length > 0));
    CHECK((response.verdict == Verdict::kReply) ==
          (is_answered(response.reason) || response.reason == Reason::kRateKod));
    if (response.verdict == Verdict::kDrop) continue;
    const MutableBytes reply = MutableBytes(out).first(response.length);
    server.finish(response, service, rx.received, reply);
    server.sent(response, service, rx.received);
    check_reply(rx, service, bytes, reply, other);
  }
  return 0;
}
