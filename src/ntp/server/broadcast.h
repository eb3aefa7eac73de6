// Broadcasts: a server's time sent unasked to everybody on a network (RFC 5905 3, mode 5), under a
// key (RFC 8633 5.5).
#pragma once

#include <cstdint>

#include "base/byte_writer.h"
#include "ntp/server/server_state.h"
#include "ntp/server/symmetric_key.h"

namespace timepool::ntp {

// A header, the number of the key, and the longest digest that version 4 sends.
inline constexpr std::size_t kMaxBroadcastSize = wire::ntp::kHeaderSize + 4 + kMaxShortDigest;

// Writes the broadcast that leaves at `now`; `poll` is log2 of the seconds until the next. False,
// and nothing is written, when `state` does not vouch for the time: who has none tells none; and
// while a leap second is smeared, which is for clients who know of it (RFC 8633 3.7.1). The writer
// fails when there is no room for kMaxBroadcastSize.
bool write_broadcast(const ServerState& state, UnixTime now, std::int8_t poll,
                     const SymmetricKey& key, ByteWriter& out);

}  // namespace timepool::ntp
