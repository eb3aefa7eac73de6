// Any bytes as leap-seconds.list: a fault with a name, or a table whose leaps are in order, one
// second each, and at the beginning of months.
#include <cstdint>

#include "base/check.h"
#include "base/civil.h"
#include "ntp/leap.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  const auto table =
      ntp::LeapTable::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!table.ok()) {
    CHECK(!ntp::name_of(table.error().error).empty());
    return 0;
  }
  CHECK(!table->entries().empty() && table->entries().size() <= ntp::kMaxLeapEntries);
  ntp::LeapKeeper keeper;
  keeper.set_table(*table);
  UnixTime at = table->entries().front().at;
  for (const ntp::LeapEntry& entry : table->entries().subspan(1)) {
    const auto leap = table->next(at);
    CHECK(leap.has_value() == (entry.at <= table->expires()));
    if (!leap) break;
    CHECK(leap->at == entry.at && (leap->seconds == 1 || leap->seconds == -1));
    CHECK(begins_month(day_of(leap->at)));
    const UnixTime before = leap->at - Duration::nanoseconds(1);
    CHECK(!table->expired(before));
    CHECK(keeper.armed(before) == *leap);
    CHECK(!keeper.armed(leap->at) || keeper.armed(leap->at)->at > leap->at);
    at = entry.at;
  }
  return 0;
}
