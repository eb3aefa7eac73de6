// Which country an address lies in, as the geographic data says, for counting: the tables that
// answers are chosen by know only those countries that a zone tells apart. Immutable.
#pragma once

#include "base/runs.h"
#include "dns/compiled/client_class.h"
#include "dns/zone/country.h"

namespace timepool::dnsd {

struct CountryTable {
  Runs<V4Key> v4;
  Runs<V6Key> v6;

  explicit CountryTable(const dns::GeoTable& table) : v4(table.country4), v6(table.country6) {}
  dns::CountryCode find(const IpAddress& address) const {
    const std::uint32_t bits =
        address.is_v4() ? v4.value_at(v4_key(address)) : v6.value_at(v6_key(address));
    return dns::CountryCode::from_bits(static_cast<std::uint16_t>(bits));
  }
};

}  // namespace timepool::dnsd
