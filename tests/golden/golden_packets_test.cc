// Every exchange of tests/golden/ntp through the server, compared octet by octet. With
// TIMEPOOL_WRITE_GOLDEN=1 the files are written anew: read the difference before it is committed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "base/hex.h"
#include "golden_file.h"
#include "golden_server.h"

namespace timepool::golden {
namespace {

const std::string kFolder = TIMEPOOL_SOURCE_DIR "/tests/golden/ntp";

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const auto& it : std::filesystem::directory_iterator(kFolder)) {
    if (it.path().extension() == ".txt") out.push_back(it.path().stem().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> said_to(const Case& it) {
  Server server(it.settings, kFolder + "/keys");
  std::vector<std::string> out;
  for (const Exchange& exchange : it.exchanges) {
    const Said said = server.answer(exchange);
    out.push_back(expectation(said.reason, said.reply));
  }
  return out;
}

class GoldenPackets : public testing::TestWithParam<std::string> {};

TEST_P(GoldenPackets, are_answered_octet_by_octet) {
  const std::string path = kFolder + "/" + GetParam() + ".txt";
  const File file = read_file(path);
  std::vector<std::string> all;
  for (const Case& it : file.cases) {
    ASSERT_FALSE(it.exchanges.empty()) << it.name;
    const std::vector<std::string> said = said_to(it);
    for (std::size_t i = 0; i < said.size(); ++i) {
      const Exchange& exchange = it.exchanges[i];
      EXPECT_EQ(said[i], expectation(exchange.reason, exchange.reply))
          << it.name << ", request " << i + 1 << ": " << to_hex(exchange.request);
    }
    all.insert(all.end(), said.begin(), said.end());
  }
  if (std::getenv("TIMEPOOL_WRITE_GOLDEN") != nullptr) {
    const std::string text = rewritten(file, all);
    std::ofstream(path) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(OfTheServer, GoldenPackets, testing::ValuesIn(names()),
                         [](const auto& it) { return it.param; });

TEST(GoldenFiles, names_of_cases_are_unique) {
  std::set<std::string> seen;
  for (const std::string& name : names()) {
    for (const Case& it : read_file(kFolder + "/" + name + ".txt").cases) {
      EXPECT_TRUE(seen.insert(it.name).second) << it.name;
    }
  }
}

// Each octet of a long request changed to each value that differs in one bit gets an answer that is
// not longer and, if it is one, the golden one but for what it copies from the request.
TEST(GoldenFiles, a_flipped_bit_in_a_request_never_gets_a_longer_reply) {
  for (const std::string& name : names()) {
    for (Case it : read_file(kFolder + "/" + name + ".txt").cases) {
      Exchange exchange = it.exchanges.front();
      const std::size_t bits = std::min<std::size_t>(exchange.request.size(), 256) * 8;
      Server server(it.settings, kFolder + "/keys");
      for (std::size_t bit = 0; bit < bits; ++bit) {
        const std::byte mask{static_cast<unsigned char>(1U << (bit % 8))};
        exchange.request[bit / 8] ^= mask;
        const Said said = server.answer(exchange);
        ASSERT_LE(said.reply.size(), exchange.request.size()) << it.name << " bit " << bit;
        if (!said.reply.empty()) {
          ASSERT_EQ(said.reply[0] & std::byte{7}, std::byte{4});
        }
        exchange.request[bit / 8] ^= mask;
      }
    }
  }
}

}  // namespace
}  // namespace timepool::golden
