// What we send unasked, as tests/golden/sent has it, compared octet by octet; what peers send there
// is under the right key or not, as other software made it. With TIMEPOOL_WRITE_GOLDEN=1 the files
// are written anew: read the difference before it is committed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "base/hex.h"
#include "golden_file.h"
#include "golden_sender.h"

namespace timepool::golden {
namespace {

const std::string kFolder = TIMEPOOL_SOURCE_DIR "/tests/golden";

class GoldenSent : public testing::TestWithParam<const char*> {};

TEST_P(GoldenSent, packets_are_sent_octet_by_octet) {
  const std::string path = kFolder + "/sent/" + GetParam() + ".txt";
  const File file = read_file(path);
  ASSERT_GE(file.cases.size(), 5u);
  std::vector<std::string> all;
  for (const Case& it : file.cases) {
    Sender sender(it.settings, kFolder + "/ntp/keys");
    ASSERT_FALSE(it.exchanges.empty()) << it.name;
    for (const Exchange& exchange : it.exchanges) {
      const Said said = sender.send(exchange);
      all.push_back(expectation(said.reason, said.reply));
      EXPECT_EQ(all.back(), expectation(exchange.reason, exchange.reply))
          << it.name << ", after " << to_hex(exchange.request);
    }
  }
  if (std::getenv("TIMEPOOL_WRITE_GOLDEN") != nullptr) {
    const std::string text = rewritten(file, all);
    std::ofstream(path) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, GoldenSent, testing::Values("peers", "broadcasts"),
                         [](const auto& it) { return std::string(it.param); });

}  // namespace
}  // namespace timepool::golden
