#include "dns/compiled/client_class.h"

#include <gtest/gtest.h>

namespace timepool::dns {
namespace {

const CountryCode kDe = CountryCode::from_text("de");

TargetUse one_country() {
  TargetUse out;
  out.countries = {kDe};
  return out;
}

// `count` networks of one country, each beside unknown land: two runs for each, and one before.
Runs<V4Key> networks(V4Key count, std::uint32_t value) {
  Runs<V4Key>::Builder builder;
  builder.append(0, 0);
  for (V4Key i = 1; i <= count; ++i) {
    builder.append(i << 20, value);
    builder.append((i << 20) + (i << 8), 0);
  }
  return std::move(builder).finish();
}

TEST(ClassTable, finds_classes_and_scopes_alike_in_few_networks_and_in_many) {
  for (const V4Key count : {1U, 31U, 32U, 33U, 1000U}) {
    GeoTable geo;
    geo.country4 = networks(count, kDe.bits());
    const auto table = ClassTable::build(geo, one_country());
    ASSERT_NE(table, nullptr);
    ASSERT_EQ(table->runs(), 2 * count + 2);
    for (V4Key i = 0; i <= count + 1; ++i) {
      for (const V4Key key : {i << 20, (i << 20) - 1, (i << 20) + (i << 8), (i << 20) + 77}) {
        const auto expected = geo.country4.match(key);
        const IpAddress client = IpAddress::v4(key);
        const auto found = table->find(client);
        ASSERT_EQ(table->classes()[found.index].country.bits(), expected.value) << format(client);
        ASSERT_EQ(int{found.scope}, expected.scope) << format(client);
        ASSERT_EQ(table->index_of(client), found.index) << format(client);
        table->prefetch(client);
      }
    }
  }
}

// Ten thousand zones may have one each.
TEST(ClassTable, of_few_networks_takes_little_memory) {
  GeoTable geo;
  geo.country4 = networks(31, kDe.bits());
  EXPECT_LT(ClassTable::build(geo, {})->memory(), 1000U);
  EXPECT_LT(ClassTable::build(geo, one_country())->memory(), 2000U);
}

}  // namespace
}  // namespace timepool::dns
