#include "base/public_prefix.h"

#include <gtest/gtest.h>

namespace timepool {
namespace {

bool is_public(std::string_view text) {
  return holds_public_address(parse_prefix(text).value());
}

TEST(PublicPrefix, private_blocks_hold_no_public_address) {
  for (const char* text :
       {"10.0.0.0/8", "10.1.2.0/24", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8",
        "169.254.0.0/16", "100.64.0.0/10", "224.0.0.0/3", "10.1.2.3", "fc00::/7", "fe80::/10",
        "::1", "2001:db8::/32", "2001::/23", "2002::/16", "::/3", "4000::/2"}) {
    EXPECT_FALSE(is_public(text)) << text;
  }
}

TEST(PublicPrefix, a_block_with_any_public_address_is_found) {
  for (const char* text : {"0.0.0.0/0", "::/0", "10.0.0.0/7", "172.0.0.0/8", "192.0.0.0/8",
                           "192.168.0.0/15", "8.8.8.8", "1.0.0.0/8", "2000::/3", "2001::/16",
                           "2a00::/12", "2001:4860:4860::8888", "223.0.0.0/8", "192.0.2.0/23"}) {
    EXPECT_TRUE(is_public(text)) << text;
  }
}

}  // namespace
}  // namespace timepool
