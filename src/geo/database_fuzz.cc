// Any octets as a MaxMind DB: it is refused, or its walk ends, with networks in order that do not
// overlap, or says that it is damaged; and a look-up says of a network's first address what the
// walk said of the network. Nothing beyond the octets is read: they lie in a block of their size.
#include <cmath>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "geo/database.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file
using namespace timepool::geo;

IpAddress first_of(const GeoNetwork& network) {
  if (network.family == IpFamily::kV4) {
    return IpAddress::v4(static_cast<std::uint32_t>(network.low));
  }
  std::array<std::byte, 16> octets{};
  for (std::size_t i = 0; i < 8; ++i) {
    octets[i] = static_cast<std::byte>(network.high >> (56 - 8 * i));
    octets[8 + i] = static_cast<std::byte>(network.low >> (56 - 8 * i));
  }
  return IpAddress::from_bytes(octets);
}

void check_record(const GeoRecord& record) {
  CHECK(record.country_text().empty() || record.country_text().size() == 2);
  CHECK(record.region_text().size() <= 3);
  if (!record.has_position) return;
  CHECK(std::abs(record.latitude) <= 90 && std::abs(record.longitude) <= 180);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto database =
      GeoDatabase::parse("input", std::string(reinterpret_cast<const char*>(data), size));
  if (!database.ok()) {
    CHECK(database.error().code == ErrorCode::kCorrupt && !database.error().text().empty());
    return 0;
  }
  CHECK(database->node_count() > 0 && database->node_count() < size);
  IpAddress last;
  bool any = false;
  const auto walked = database->walk([&](const GeoNetwork& network, const GeoRecord& record) {
    check_record(record);
    const IpAddress first = first_of(network);
    CHECK(network.length > 0 && network.length <= first.bits());
    CHECK(Prefix(first, network.length).base() == first);
    CHECK(!any || last < first);
    last = first;
    any = true;
    CHECK(database->lookup(first) == record);
  });
  CHECK(walked.ok() || walked.error().code == ErrorCode::kCorrupt);
  for (const char* text : {"192.0.2.1", "255.255.255.255", "2001:db8::1", "::ffff:192.0.2.1"}) {
    check_record(database->lookup(parse_ip(text).value()));
  }
  return 0;
}
