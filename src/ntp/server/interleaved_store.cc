#include "ntp/server/interleaved_store.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "wire/ntp/header.h"

namespace timepool::ntp {
namespace {

wire::ntp::Header header_of(Bytes packet) {
  CHECK(packet.size() >= wire::ntp::kHeaderSize);
  ByteReader reader(packet);
  return wire::ntp::read_header(reader);
}

}  // namespace

InterleavedStore::InterleavedStore(std::size_t slots)
    : slots_(std::bit_floor(std::max<std::size_t>(slots, 1))) {}

bool InterleavedStore::asks(Bytes request) {
  const wire::ntp::AskedTimes asked = wire::ntp::asked_times(request);
  return !asked.origin.is_zero() && !asked.receive.is_zero() && asked.receive != asked.transmit;
}

// Fibonacci hashing: timestamps differ mostly in their low bits, of which some may always be zero.
std::size_t InterleavedStore::index_of(NtpTimestamp receive) const {
  return ((receive.bits() * 0x9e3779b97f4a7c15ULL) >> 20) & (slots_.size() - 1);
}

bool InterleavedStore::answer(Bytes request, MutableBytes reply) const {
  if (!asks(request)) return false;
  const wire::ntp::Header asked = header_of(request);
  const Slot& slot = slots_[index_of(asked.origin)];
  if (slot.receive != asked.origin || slot.transmit.is_zero()) return false;
  wire::ntp::Header header = header_of(reply);
  header.origin = asked.receive;
  header.transmit = slot.transmit;
  ByteWriter writer(reply);
  wire::ntp::write_header(header, writer);
  return true;
}

void InterleavedStore::sent(NtpTimestamp receive, NtpTimestamp transmit) {
  Slot& slot = slots_[index_of(receive)];
  const bool twice = slot.receive == receive && !receive.is_zero();
  slot = {receive, twice ? NtpTimestamp() : transmit};
}

void InterleavedStore::correct(NtpTimestamp receive, NtpTimestamp transmit) {
  Slot& slot = slots_[index_of(receive)];
  if (slot.receive == receive && !slot.transmit.is_zero()) slot.transmit = transmit;
}

}  // namespace timepool::ntp
