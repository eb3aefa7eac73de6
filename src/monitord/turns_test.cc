#include "monitord/turns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace timepool::monitord {
namespace {

using ::testing::ElementsAre;

class TurnsTest : public ::testing::Test {
 protected:
  struct Task {
    TurnsTest& test;
    std::uint64_t id;
    int work;

    ~Task() { test.gone_.push_back(work); }
    void begin() { test.begun_.push_back({id, work}); }
  };
  std::vector<int> begun() const {
    std::vector<int> out;
    for (const auto& [id, work] : begun_) out.push_back(work);
    return out;
  }

  std::vector<std::pair<std::uint64_t, int>> begun_;
  std::vector<int> gone_;
  Turns<int, Task> turns_{2, [this](std::uint64_t id, int work) {
                            return std::unique_ptr<Task>(new Task{*this, id, work});
                          }};
};

TEST_F(TurnsTest, those_that_wait_begin_in_their_order_as_others_are_over) {
  for (int work = 1; work <= 5; ++work) turns_.add(work);
  EXPECT_THAT(begun(), ElementsAre(1, 2));
  EXPECT_EQ(turns_.outstanding(), 5U);
  turns_.over(begun_[1].first);
  EXPECT_THAT(gone_, ElementsAre(2));
  EXPECT_THAT(begun(), ElementsAre(1, 2, 3));
  turns_.over(begun_[0].first);
  turns_.over(begun_[2].first);
  EXPECT_THAT(begun(), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(turns_.outstanding(), 2U);
  turns_.over(begun_[3].first);
  turns_.over(begun_[4].first);
  EXPECT_EQ(turns_.outstanding(), 0U);
  turns_.add(6);
  EXPECT_EQ(begun().back(), 6);
}

}  // namespace
}  // namespace timepool::monitord
