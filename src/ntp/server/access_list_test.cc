#include "ntp/server/access_list.h"

#include <gtest/gtest.h>

#include <vector>

namespace timepool::ntp {
namespace {

using Prefixes = std::vector<Prefix>;

Prefix block(const char* text) {
  return parse_prefix(text).value();
}
IpAddress ip(const char* text) {
  return parse_ip(text).value();
}
std::shared_ptr<const AccessRules> rules(const Prefixes& allow, const Prefixes& deny) {
  return std::make_shared<AccessRules>(AccessRules::build(allow, deny).value());
}

TEST(AccessList, without_prefixes_everybody_is_served) {
  EXPECT_TRUE(AccessRules().serves(ip("192.0.2.1")));
  EXPECT_TRUE(rules({}, {})->serves(ip("2001:db8::1")));
}

TEST(AccessList, B31_who_is_denied_is_not_served_and_all_others_are) {
  const auto list = rules({}, {block("192.0.2.0/24"), block("2001:db8::/32")});
  EXPECT_FALSE(list->serves(ip("192.0.2.1")));
  EXPECT_FALSE(list->serves(ip("2001:db8::1")));
  EXPECT_TRUE(list->serves(ip("192.0.3.1")));
  EXPECT_TRUE(list->serves(ip("2001:db9::1")));
}

TEST(AccessList, B24_where_somebody_is_allowed_nobody_else_is_served) {
  const auto list = rules({block("192.0.2.0/24")}, {});
  EXPECT_TRUE(list->serves(ip("192.0.2.1")));
  EXPECT_FALSE(list->serves(ip("192.0.3.1")));
  EXPECT_FALSE(list->serves(ip("2001:db8::1")));
}

TEST(AccessList, the_most_specific_prefix_decides) {
  const auto list = rules({block("10.0.0.0/8"), block("10.1.2.3/32")}, {block("10.1.0.0/16")});
  EXPECT_TRUE(list->serves(ip("10.2.0.0")));
  EXPECT_FALSE(list->serves(ip("10.1.2.4")));
  EXPECT_TRUE(list->serves(ip("10.1.2.3")));
}

TEST(AccessList, a_prefix_that_is_allowed_and_denied_is_denied) {
  EXPECT_FALSE(rules({block("10.0.0.0/8")}, {block("10.0.0.0/8")})->serves(ip("10.0.0.1")));
}

TEST(AccessList, an_interface_with_rules_of_its_own_has_only_those) {
  const AccessList list(rules({}, {block("10.0.0.0/8")}),
                        {{3, rules({block("10.0.0.0/8")}, {})}, {0, rules({}, {block("::/0")})}});
  EXPECT_FALSE(list.serves(ip("10.0.0.1"), 2));
  EXPECT_TRUE(list.serves(ip("192.0.2.1"), 2));
  EXPECT_TRUE(list.serves(ip("10.0.0.1"), 3));
  EXPECT_FALSE(list.serves(ip("192.0.2.1"), 3));
  // Where the interface is not known, and for rules whose interface is not there.
  EXPECT_FALSE(list.serves(ip("10.0.0.1"), 0));
  EXPECT_TRUE(list.serves(ip("2001:db8::1"), 0));
}

TEST(AccessList, too_many_prefixes_are_refused) {
  const Prefixes many(PrefixTree::kMaxEntries / 2 + 1, block("10.0.0.0/8"));
  EXPECT_FALSE(AccessRules::build(many, many).ok());
}

}  // namespace
}  // namespace timepool::ntp
