// Any datagram from any port: a reply no longer than it, of mode 4, or a drop with a reason.
#include <array>
#include <cstdint>

#include "base/check.h"
#include "ntp/server/responder.h"
#include "wire/ntp/packet.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  if (size < 3) return 0;
  ntp::ServerState state;
  if ((data[0] & 1) != 0) {
    state.leap = wire::ntp::Leap::kNone;
    state.stratum = 2;
  }
  ntp::RxInfo rx;
  rx.received = UnixTime::from_seconds(1'790'000'000);
  rx.client.port = static_cast<std::uint16_t>(data[1] << 8 | data[2]);
  const Bytes request = std::as_bytes(std::span(data + 3, size - 3));
  std::array<std::byte, wire::ntp::kHeaderSize> out{};
  const ntp::Response response = ntp::respond(rx, request, state, out);
  CHECK(static_cast<std::size_t>(response.reason) < ntp::kReasonCount);
  CHECK(response.length <= request.size());
  CHECK((response.verdict == ntp::Verdict::kReply) == (response.length > 0));
  if (response.verdict == ntp::Verdict::kDrop) return 0;
  ntp::set_transmit(out, state, rx.received);
  const auto reply = wire::ntp::parse_packet(Bytes(out).first(response.length));
  CHECK(reply.ok());
  CHECK(reply->header.mode == wire::ntp::Mode::kServer);
  CHECK(reply->header.version == (std::to_integer<unsigned>(request[0]) >> 3 & 7));
  return 0;
}
