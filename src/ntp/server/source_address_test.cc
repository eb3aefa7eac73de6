#include "ntp/server/source_address.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

bool of(const char* text) {
  return is_one_host(parse_ip(text).value());
}

TEST(SourceAddress, of_a_host_can_be_answered) {
  for (const char* it : {"1.0.0.0", "127.0.0.1", "192.0.2.255", "223.255.255.255", "240.0.0.1",
                         "255.255.255.254", "::1", "2001:db8::ff", "fe80::1", "64:ff9b::1"}) {
    EXPECT_TRUE(of(it)) << it;
  }
}

TEST(SourceAddress, of_many_hosts_or_of_none_cannot) {
  for (const char* it : {"0.0.0.0", "0.1.2.3", "224.0.1.1", "239.255.255.255", "255.255.255.255",
                         "::", "::ffff:192.0.2.1", "ff02::101", "ff0e::101"}) {
    EXPECT_FALSE(of(it)) << it;
  }
}

}  // namespace
}  // namespace timepool::ntp
