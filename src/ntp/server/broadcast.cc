#include "ntp/server/broadcast.h"

#include <array>

namespace timepool::ntp {

bool write_broadcast(const ServerState& state, UnixTime now, std::int8_t poll,
                     const SymmetricKey& key, ByteWriter& out) {
  if (!state.vouches(now) || !state.shift.none()) return false;
  wire::ntp::Header header;
  header.leap = state.leap;
  header.mode = wire::ntp::Mode::kBroadcast;
  header.stratum = state.stratum;
  header.poll = poll;
  header.precision = state.precision;
  header.root_delay = to_ntp_short(state.root_delay);
  header.root_dispersion = to_ntp_short(root_dispersion_at(state, now));
  header.reference_id = state.reference_id;
  header.reference = to_ntp(state.reference_time + state.test_offset);
  // RFC 5905 figure 31: nobody asked, so there is neither an origin nor a time of receiving.
  header.transmit = to_ntp(now + state.test_offset);
  const std::size_t begin = out.size();
  wire::ntp::write_header(header, out);
  std::array<std::byte, kMaxMacDigest> room{};
  const MutableBytes digest = MutableBytes(room).first(key.digest_size(header.version));
  key.sign(out.written().subspan(begin), digest);
  out.u32(key.id());
  out.bytes(digest);
  return true;
}

}  // namespace timepool::ntp
