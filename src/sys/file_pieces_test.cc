#include "sys/file_pieces.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string_view>

#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::sys {
namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

class FilePieces : public ::testing::Test {
 protected:
  std::size_t files() const {
    std::size_t out = 0;
    for (const auto& it : std::filesystem::directory_iterator(root_.path())) {
      if (it.is_regular_file()) ++out;
    }
    return out;
  }
  std::string content() const { return read_file(path_, 1 << 24).value(); }

  TemporaryDirectory root_;
  const std::string path_ = root_.path() + "/file";
};

TEST_F(FilePieces, a_replacement_takes_its_place_when_it_is_whole) {
  ASSERT_TRUE(write_file_atomic(path_, "old").ok());
  auto file = FileReplacement::create(path_, 0600).value();
  ASSERT_TRUE(file.write(bytes("ne")).ok());
  ASSERT_TRUE(file.write(bytes("w")).ok());
  EXPECT_EQ(content(), "old");
  ASSERT_TRUE(file.commit().ok());
  EXPECT_EQ(content(), "new");
  struct stat info{};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(files(), 1U);
}

TEST_F(FilePieces, of_a_replacement_that_is_given_up_nothing_is_left) {
  ASSERT_TRUE(write_file_atomic(path_, "old").ok());
  {
    auto file = FileReplacement::create(path_).value();
    ASSERT_TRUE(file.write(bytes("new")).ok());
    const FileReplacement moved = std::move(file);
    EXPECT_EQ(files(), 2U);
  }
  EXPECT_EQ(content(), "old");
  EXPECT_EQ(files(), 1U);
}

TEST_F(FilePieces, an_addition_stays_when_it_is_whole_and_else_is_taken_back) {
  ASSERT_TRUE(write_file_atomic(path_, "one").ok());
  {
    auto file = FileAddition::create(path_, 3).value();
    ASSERT_TRUE(file.write(bytes(" two")).ok());
    ASSERT_TRUE(file.write(bytes(" three")).ok());
    ASSERT_TRUE(file.commit().ok());
  }
  EXPECT_EQ(content(), "one two three");
  {
    auto file = FileAddition::create(path_, 13).value();
    ASSERT_TRUE(file.write(bytes(" four")).ok());
  }
  EXPECT_EQ(content(), "one two three");
}

TEST_F(FilePieces, a_file_of_another_size_is_not_added_to) {
  ASSERT_TRUE(write_file_atomic(path_, "one").ok());
  for (const std::uint64_t size : {0U, 2U, 4U}) {
    const auto file = FileAddition::create(path_, size);
    ASSERT_FALSE(file.ok());
    EXPECT_EQ(file.error().code, ErrorCode::kInvalid);
    EXPECT_NE(file.error().text().find(path_), std::string::npos);
  }
  EXPECT_EQ(FileAddition::create(path_ + "x", 0).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(content(), "one");
}

TEST_F(FilePieces, pieces_are_the_file_in_its_order_until_no_more_are_wanted) {
  std::string text;
  for (int i = 0; i < 400'000; ++i) text += std::to_string(i);
  ASSERT_TRUE(write_file_atomic(path_, text).ok());
  std::string got;
  ASSERT_TRUE(read_pieces(path_, [&got](std::span<const std::byte> piece) {
                got.append(reinterpret_cast<const char*>(piece.data()), piece.size());
                return true;
              }).ok());
  EXPECT_EQ(got, text);
  int pieces = 0;
  ASSERT_TRUE(read_pieces(path_, [&pieces](std::span<const std::byte>) {
                ++pieces;
                return false;
              }).ok());
  EXPECT_EQ(pieces, 1);
  EXPECT_EQ(read_pieces(path_ + "x", [](std::span<const std::byte>) { return true; }).error().code,
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace timepool::sys
