// What the fuzz targets of dialogues share: time that passes, and datagrams that are made right
// where no input could guess how.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/check.h"
#include "ntp/authenticator.h"
#include "ntp/local_time.h"
#include "ntp/timestamp.h"
#include "wire/ntp/header.h"

namespace timepool::ntp {

struct FuzzTime {
  LocalTime now{MonoTime::from_ns(1), UnixTime::from_seconds(1'790'000'000)};

  LocalTime pass(unsigned milliseconds) {
    const Duration span = Duration::milliseconds(milliseconds);
    now = {now.mono + span, now.raw + span};
    return now;
  }
};

struct FuzzDatagram {
  static constexpr std::size_t kMaxSize = 2048;
  // Header and MAC of a TestProof.
  static constexpr std::size_t kProvedSize = wire::ntp::kHeaderSize + 20;
  // Of the origin and transmit timestamps in a header.
  static constexpr std::size_t kOrigin = 24;
  static constexpr std::size_t kTransmit = 40;

  std::array<std::byte, kMaxSize> octets{};
  std::size_t size = 0;

  // Its length (two octets) and octets.
  static FuzzDatagram read(ByteReader& input) {
    FuzzDatagram out;
    const std::size_t length = input.u16() % kMaxSize;
    const Bytes bytes = input.bytes(length);
    std::copy(bytes.begin(), bytes.end(), out.octets.begin());
    out.size = bytes.size();
    return out;
  }
  Bytes bytes() const { return Bytes(octets).first(size); }
  // Its origin becomes the timestamp at `from` of what was sent.
  void answer(Bytes sent, std::size_t from = kTransmit) {
    std::copy_n(sent.begin() + static_cast<std::ptrdiff_t>(from), 8, &octets[kOrigin]);
  }
  bool answers(Bytes sent, std::size_t from = kTransmit) const {
    return size >= wire::ntp::kHeaderSize &&
           std::equal(&octets[kOrigin], &octets[kOrigin] + 8,
                      sent.begin() + static_cast<std::ptrdiff_t>(from));
  }
  // It becomes a header and a right MAC.
  void prove(Authenticator& proof, RandomStream& random) {
    std::array<std::byte, wire::ntp::kHeaderSize> header{};
    std::copy_n(octets.begin(), header.size(), header.begin());
    ByteWriter writer(octets);
    writer.bytes(header);
    CHECK(proof.protect(writer, random) && writer.size() == kProvedSize);
    size = kProvedSize;
  }
};

// An input as a list of steps, each an octet that says what: a dialogue's start, a packet of it
// that has left, what else `fuzz.other()` takes, or a datagram, which the following octets are.
template <class Fuzz>
void run_steps(ByteReader& input, Fuzz& fuzz) {
  fuzz.start();
  constexpr int kMaxSteps = 64;
  for (int step = 0; step < kMaxSteps && input.ok() && input.remaining() > 0; ++step) {
    const unsigned what = input.u8();
    if (what < 0x10) {
      fuzz.start();
    } else if (what < 0x18) {
      const UnixTime sent = fuzz.time.now.raw - Duration::milliseconds(what);
      fuzz.exchange.handle_transmit_timestamp({sent, StampSource::kKernel, Duration()});
    } else if (!fuzz.other(what)) {
      fuzz.receive(input, what);
    }
  }
}

}  // namespace timepool::ntp
