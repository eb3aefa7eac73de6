// Our NTP codec as a filter for tests: one packet in hexadecimal digits a line on standard input,
// one JSON object a line on standard output, or {"error": reason}.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <iostream>
#include <string>

#include "base/hex.h"
#include "wire/ntp/packet.h"

namespace timepool::wire::ntp {
namespace {

namespace json = boost::json;

json::object read(const std::string& hex) {
  const auto bytes = from_hex(hex);
  if (!bytes.ok()) return {{"error", "hex"}};
  const auto packet = parse_packet(*bytes);
  if (!packet.ok()) return {{"error", std::string(name_of(packet.error()))}};
  const Header& header = packet->header;
  json::object out{{"leap", static_cast<int>(header.leap)},
                   {"version", header.version},
                   {"mode", static_cast<int>(header.mode)},
                   {"stratum", header.stratum},
                   {"poll", header.poll},
                   {"precision", header.precision},
                   {"root_delay", header.root_delay.bits()},
                   {"root_dispersion", header.root_dispersion.bits()},
                   {"reference_id", fmt::format("{:08x}", header.reference_id.bits())},
                   {"reference", header.reference.bits()},
                   {"origin", header.origin.bits()},
                   {"receive", header.receive.bits()},
                   {"transmit", header.transmit.bits()}};
  json::array fields;
  for (const ExtensionField& field : packet->fields) {
    fields.push_back(json::object{{"type", field.type}, {"size", field.size()}});
  }
  out["fields"] = std::move(fields);
  if (packet->mac.kind != MacKind::kNone) {
    out["key"] = packet->mac.key_id;
    out["digest"] = to_hex(packet->mac.digest);
  }
  return out;
}

}  // namespace
}  // namespace timepool::wire::ntp

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << boost::json::serialize(timepool::wire::ntp::read(line)) << '\n';
  }
  return std::cout.good() ? 0 : 1;
}
