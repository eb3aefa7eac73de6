// What a server does for each packet or connection does not allocate.
#include <gtest/gtest.h>

#include "base/counted_malloc.h"
#include "nts/ke_server.h"
#include "nts/ke_testing.h"

namespace timepool::nts {
namespace {

#ifdef TIMEPOOL_COUNTS_MALLOC
TEST(NtsAllocation, a_servers_half_of_a_key_establishment_does_not_allocate) {
  KeServerConfig config;
  ASSERT_TRUE(config.aeads.push_back(AeadId::kAesSivCmac256));
  config.servers = {{"a.example", 123}, {"b.example", 123}};
  fake::Message message;
  message.protocol().aeads({15}).text(false, wire::nts::record_type::kServer, "b.example");
  const fake::Octets request = message.end();
  fake::TestExporter exporter;
  fake::TestCookieMaker cookies;
  const std::uint64_t before = allocations.load();
  KeServer server(config, IpFamily::kV4);
  const auto reason = server.feed(request, exporter, cookies);
  EXPECT_EQ(allocations.load(), before);
  EXPECT_EQ(reason, KeReason::kEstablished);
}
#endif

}  // namespace
}  // namespace timepool::nts
