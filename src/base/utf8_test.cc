#include "base/utf8.h"

#include <gtest/gtest.h>

namespace timepool {
namespace {

TEST(Utf8, what_is_utf8_stays) {
  for (const char* text : {"", "plain", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x95\x92",
                           "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"}) {
    EXPECT_EQ(as_utf8(text), text);
  }
}

TEST(Utf8, each_other_byte_becomes_a_question_mark) {
  EXPECT_EQ(as_utf8("a\x80"
                    "b"),
            "a?b");
  EXPECT_EQ(as_utf8("\xc3"), "?");                 // cut in two
  EXPECT_EQ(as_utf8("\xe2\x82"), "??");            // the same
  EXPECT_EQ(as_utf8("\xc0\xaf"), "??");            // overlong
  EXPECT_EQ(as_utf8("\xed\xa0\x80"), "???");       // a surrogate
  EXPECT_EQ(as_utf8("\xf4\x90\x80\x80"), "????");  // above U+10FFFF
  EXPECT_EQ(as_utf8("\xff\xc3\xa4"), "?\xc3\xa4");
}

}  // namespace
}  // namespace timepool
