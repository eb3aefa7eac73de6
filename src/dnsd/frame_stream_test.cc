#include "dnsd/frame_stream.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace timepool::dnsd {
namespace {

std::string hex(std::string_view text) {
  return to_hex(std::as_bytes(std::span(text.data(), text.size())));
}

TEST(FrameStream, control_frames_have_the_octets_of_the_protocol) {
  EXPECT_EQ(hex(control_frame(StreamControl::kReady)),
            "00000000000000220000000400000001"
            "00000016"
            "70726f746f6275663a646e737461702e446e73746170");
  EXPECT_EQ(hex(control_frame(StreamControl::kStop)), "000000000000000400000003");
}

TEST(FrameStream, what_is_written_is_read_and_what_is_cut_off_is_awaited) {
  for (const StreamControl kind :
       {StreamControl::kAccept, StreamControl::kStart, StreamControl::kStop, StreamControl::kReady,
        StreamControl::kFinish}) {
    const std::string frame = control_frame(kind);
    for (std::size_t size = 0; size < frame.size(); ++size) {
      const auto part = parse_control_frame(std::string_view(frame).substr(0, size));
      ASSERT_TRUE(part.ok());
      EXPECT_FALSE(part->has_value());
    }
    const auto whole = parse_control_frame(frame + "more");
    ASSERT_TRUE(whole.ok() && whole->has_value());
    EXPECT_EQ((*whole)->kind, kind);
    EXPECT_EQ((*whole)->size, frame.size());
  }
}

TEST(FrameStream, names_what_is_wrong_with_a_frame) {
  const auto fault = [](std::string_view bytes) { return parse_control_frame(bytes).error(); };
  const auto word = [](std::uint32_t value) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
    return out;
  };
  EXPECT_EQ(fault(word(7)), StreamFault::kData);
  EXPECT_EQ(fault(word(0) + word(3)), StreamFault::kLength);
  EXPECT_EQ(fault(word(0) + word(513)), StreamFault::kLength);
  EXPECT_EQ(fault(word(0) + word(0xffffffff)), StreamFault::kLength);
  EXPECT_EQ(fault(word(0) + word(4) + word(6)), StreamFault::kKind);
  EXPECT_EQ(fault(word(0) + word(8) + word(1) + word(1)), StreamFault::kContents);
  EXPECT_EQ(fault(word(0) + word(12) + word(1) + word(1) + word(1)), StreamFault::kContents);
  EXPECT_EQ(fault(word(0) + word(12) + word(1) + word(2) + word(0)), StreamFault::kContents);
  EXPECT_EQ(fault(word(0) + word(13) + word(1) + word(1) + word(1) + "x"), StreamFault::kNoDnstap);
  // Any type is taken.
  EXPECT_TRUE(parse_control_frame(word(0) + word(4) + word(1)).ok());
}

}  // namespace
}  // namespace timepool::dnsd
