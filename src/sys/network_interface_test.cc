#include "sys/network_interface.h"

#include <gtest/gtest.h>
#include <net/if.h>

namespace timepool::sys {
namespace {

TEST(NetworkInterface, loopback_has_an_index_and_the_broadcast_address_of_its_network) {
  const auto found = network_interface("lo");
  ASSERT_TRUE(found.ok()) << found.error().text();
  EXPECT_EQ(found->index, ::if_nametoindex("lo"));
  for (const IpAddress& address : found->broadcasts) EXPECT_TRUE(address.is_v4());
}

TEST(NetworkInterface, one_that_is_not_there_is_an_error_with_its_name) {
  const auto found = network_interface("nosuch0");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
  EXPECT_NE(found.error().text().find("nosuch0"), std::string::npos);
}

}  // namespace
}  // namespace timepool::sys
