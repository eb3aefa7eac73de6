// A server for tests of broadcast mode: its clock is true time and `ahead`, its proof a TestProof.
#pragma once

#include <array>
#include <vector>

#include "ntp/peer_test_support.h"
#include "wire/ntp/header.h"

namespace timepool::ntp {

struct TestBroadcaster {
  using Octets = std::vector<std::byte>;

  wire::ntp::Header state(UnixTime now) const {
    wire::ntp::Header out;
    out.leap = leap;
    out.stratum = stratum;
    out.poll = poll;
    out.precision = -20;
    out.reference = to_ntp(now + ahead - Duration::seconds(10));
    out.transmit = to_ntp(now + ahead);
    return out;
  }
  Octets written(const wire::ntp::Header& header) {
    std::array<std::byte, 128> buffer{};
    ByteWriter writer(buffer);
    wire::ntp::write_header(header, writer);
    static_cast<void>(proof.protect(writer, random));
    return {writer.written().begin(), writer.written().end()};
  }
  // That leaves at `now`, in true time.
  Octets broadcast(UnixTime now) {
    wire::ntp::Header header = state(now);
    header.mode = wire::ntp::Mode::kBroadcast;
    return written(header);
  }
  // The answer to a client's request that is there at `now` and answered at once.
  Octets answer(Bytes request, UnixTime now) {
    ByteReader reader(request);
    wire::ntp::Header header = state(now);
    header.mode = wire::ntp::Mode::kServer;
    header.origin = wire::ntp::read_header(reader).transmit;
    header.receive = header.transmit;
    return written(header);
  }

  Duration ahead;
  std::uint8_t stratum = 2;
  std::int8_t poll = 6;
  wire::ntp::Leap leap = wire::ntp::Leap::kNone;
  TestProof proof;
  RandomStream random{SiphashKey{7, 8}};
};

}  // namespace timepool::ntp
