// InterleavedStore: what a server remembers for interleaved mode (RFC 9769): by the receive
// timestamps of its last replies, when each of them really left. Keyed by the timestamp alone, so
// that a client behind address translation, or on another port, finds its own.
//
// A table of fixed size, one place for each timestamp: a reply that needs a taken place overwrites
// it, and the client that misses its own is answered in basic mode. So that the many clients of
// basic mode do not push out the others, only replies to those who ask for interleaved mode are to
// be remembered (asks()): the reply before the first of them is not, and it is answered in basic
// mode. One thread.
#pragma once

#include <cstddef>
#include <vector>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/time.h"

namespace timepool::ntp {

class InterleavedStore {
 public:
  // `slots` replies are remembered at the most, rounded down to a power of two; at least one.
  explicit InterleavedStore(std::size_t slots);

  // RFC 9769 2: whether `request` names a reply of ours. One in basic mode has no origin; one whose
  // receive and transmit timestamps are the same could not tell the modes of its reply apart. It
  // has a whole header (CHECKed).
  static bool asks(Bytes request);

  // Makes `reply`, which answers `request` in basic mode, one in interleaved mode, if the request
  // asks for that and the reply before is remembered. True then: its transmit timestamp is written.
  // Both begin with a whole header (CHECKed).
  bool answer(Bytes request, MutableBytes reply) const;
  // The reply whose receive timestamp is `receive` left at `transmit`.
  void sent(NtpTimestamp receive, NtpTimestamp transmit);
  // Better knowledge of that, if the reply is still remembered.
  void correct(NtpTimestamp receive, NtpTimestamp transmit);

 private:
  struct Slot {
    NtpTimestamp receive;
    NtpTimestamp transmit;  // zero: two replies had the same receive timestamp, neither is known
  };
  std::size_t index_of(NtpTimestamp receive) const;

  std::vector<Slot> slots_;
};

}  // namespace timepool::ntp
