#include "sim/client_leap.h"

#include <string>

#include "base/check.h"

namespace timepool::sim {
namespace {

constexpr Duration kDay = Duration::seconds(86'400);

std::string ntp_seconds(UnixTime time) {
  return std::to_string(time.seconds() + kNtpToUnixSeconds);
}

}  // namespace

std::optional<ntp::LeapTable> leap_table(const ClientLeap& client, const World& world) {
  if (!client.file) return {};
  CHECK(world.leap().has_value());
  const UnixTime at = world.leap()->at;
  const UnixTime updated = world.start() - kDay * 100;
  const UnixTime expires = client.file_expired ? world.start() - kDay : at + kDay * 100;
  // As it was in 2017, and then the leap.
  std::string text =
      "#$ " + ntp_seconds(updated) + "\n#@ " + ntp_seconds(expires) + "\n3692217600 37\n";
  if (*client.file != 0) {
    text += ntp_seconds(at) + " " + std::to_string(37 + *client.file) + "\n";
  }
  auto table = ntp::LeapTable::parse(text);
  CHECK(table.ok());
  return std::move(table).value();
}

}  // namespace timepool::sim
