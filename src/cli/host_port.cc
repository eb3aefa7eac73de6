#include "cli/host_port.h"

#include <charconv>

#include "base/ip.h"

namespace timepool::cli {

Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port) {
  const auto bad = [&](const char* why) {
    return fail(Error{ErrorCode::kInvalid, "\"" + std::string(text) + "\"", why});
  };
  if (text.empty()) return bad("a host name or address is needed");
  if (parse_ip(text).ok()) return HostPort{std::string(text), default_port};
  if (text.front() == '[') {
    const auto endpoint = parse_endpoint(text, default_port);
    if (!endpoint.ok()) return fail(endpoint.error());
    return HostPort{format(endpoint->address), endpoint->port};
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return HostPort{std::string(text), default_port};
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0) {
    return bad("the port must be a number, 1 to 65535");
  }
  if (colon == 0) return bad("a host name or address is needed before the port");
  return HostPort{std::string(text.substr(0, colon)), port};
}

}  // namespace timepool::cli
