#include "ntp/server/prefix_list.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

TEST(PrefixList, one_prefix_a_line_and_the_rest_is_comment) {
  const auto list = parse_prefix_list(
      "# who may ask\n\n192.0.2.0/24\n  2001:db8::/32\t; a site\r\n198.51.100.7 # one\n::1", 10);
  ASSERT_TRUE(list.ok()) << list.error().text;
  ASSERT_EQ(list->size(), 4U);
  EXPECT_EQ(format((*list)[0]), "192.0.2.0/24");
  EXPECT_EQ(format((*list)[1]), "2001:db8::/32");
  EXPECT_EQ(format((*list)[2]), "198.51.100.7/32");
  EXPECT_EQ(format((*list)[3]), "::1/128");
}

TEST(PrefixList, a_fault_names_its_line_and_what_was_meant) {
  const auto list = parse_prefix_list("192.0.2.0/24\n#\n192.0.2.1/24\n", 10);
  ASSERT_FALSE(list.ok());
  EXPECT_EQ(list.error().line, 3U);
  EXPECT_EQ(list.error().text,
            "\"192.0.2.1/24\": bits are set past its length; did you mean 192.0.2.0/24?");
}

TEST(PrefixList, what_is_no_prefix_is_shown_without_control_characters) {
  const auto list = parse_prefix_list("\x1b[2Jhello", 10);
  ASSERT_FALSE(list.ok());
  EXPECT_EQ(list.error().line, 1U);
  EXPECT_EQ(list.error().text.find('\x1b'), std::string::npos);
  EXPECT_EQ(list.error().text.rfind("\"?[2Jhello\": ", 0), 0U) << list.error().text;
}

TEST(PrefixList, its_length_and_that_of_a_line_are_bounded) {
  EXPECT_TRUE(parse_prefix_list("::1\n::2\n", 2).ok());
  const auto long_list = parse_prefix_list("::1\n::2\n\n::3\n", 2);
  ASSERT_FALSE(long_list.ok());
  EXPECT_EQ(long_list.error().line, 4U);
  const auto long_line = parse_prefix_list("::1\n" + std::string(2000, ' '), 2);
  ASSERT_FALSE(long_line.ok());
  EXPECT_EQ(long_line.error().line, 2U);
}

TEST(PrefixList, nothing_is_an_empty_list) {
  EXPECT_TRUE(parse_prefix_list("", 1)->empty());
  EXPECT_TRUE(parse_prefix_list("\n# nobody\n", 1)->empty());
}

}  // namespace
}  // namespace timepool::ntp
