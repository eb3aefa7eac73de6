#include "service/ticket.h"

#include <charconv>

#include <fmt/format.h>

#include "base/hex.h"
#include "crypto/digest.h"
#include "service/secrets.h"

namespace timepool::service {
namespace {

constexpr std::size_t kMaxTicket = 64;

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

std::string Tickets::mac(std::int64_t monitor, std::int64_t server, std::string_view issued) const {
  const std::string text = fmt::format("ticket|{}|{}|{}", monitor, server, issued);
  const auto full = crypto::hmac_sha256(bytes_of(key_), bytes_of(text));
  return to_hex(Bytes(full).first(16));
}

std::string Tickets::make(std::int64_t monitor, std::int64_t server, UnixTime issued) const {
  const std::string time = fmt::format("{:x}", issued.ns());
  return time + "." + mac(monitor, server, time);
}

Result<UnixTime, TicketFault> Tickets::check(std::string_view ticket, std::int64_t monitor,
                                             std::int64_t server, UnixTime now,
                                             Duration lifetime) const {
  const std::size_t dot = ticket.find('.');
  if (ticket.size() > kMaxTicket || dot == std::string_view::npos) {
    return fail(TicketFault::kMalformed);
  }
  const std::string_view time = ticket.substr(0, dot);
  std::int64_t issued = 0;
  const auto [end, error] = std::from_chars(time.data(), time.data() + time.size(), issued, 16);
  if (error != std::errc() || end != time.data() + time.size()) {
    return fail(TicketFault::kMalformed);
  }
  if (!equal_secrets(ticket.substr(dot + 1), mac(monitor, server, time))) {
    return fail(TicketFault::kForged);
  }
  // One from the future is ours too: the clock was set back since.
  if (now - UnixTime::from_ns(issued) > lifetime) return fail(TicketFault::kExpired);
  return UnixTime::from_ns(issued);
}

}  // namespace timepool::service
