// Tickets: what a monitor is handed with each check and has to bring back with its result, so that
// it can report only what it was asked, once and in order. A ticket is "<issued>.<mac>": when it
// was made (Unix ns, hexadecimal) and HMAC-SHA-256 over monitor, server and that time, cut to 128
// bits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace timepool::service {

enum class TicketFault : std::uint8_t { kMalformed, kForged, kExpired };

class Tickets {
 public:
  // `key`: 32 bytes or more that nobody else knows.
  explicit Tickets(std::string key) : key_(std::move(key)) {}

  std::string make(std::int64_t monitor, std::int64_t server, UnixTime issued) const;
  // When the ticket was made.
  Result<UnixTime, TicketFault> check(std::string_view ticket, std::int64_t monitor,
                                      std::int64_t server, UnixTime now, Duration lifetime) const;

 private:
  std::string mac(std::int64_t monitor, std::int64_t server, std::string_view issued) const;
  std::string key_;
};

}  // namespace timepool::service
