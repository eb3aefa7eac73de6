// Runs every scenario of this folder with each of its seeds. TIMEPOOL_SIM_SEED=N runs that one seed
// instead: the number that a failure prints.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "sim/scenario.h"

namespace timepool::sim {
namespace {

std::vector<std::string> scenario_files() {
  std::vector<std::string> out;
  const std::filesystem::path folder = TIMEPOOL_SOURCE_DIR "/tests/scenarios";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".toml") out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

Scenario read(const std::string& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto scenario = parse_scenario(std::filesystem::path(path).filename().string(), text);
  if (!scenario.ok()) {
    ADD_FAILURE() << config::format(scenario.error());
    return {};
  }
  return *scenario;
}

std::vector<std::uint64_t> seeds_of(const Scenario& scenario) {
  if (const char* seed = std::getenv("TIMEPOOL_SIM_SEED"); seed != nullptr) {
    return {std::strtoull(seed, nullptr, 10)};
  }
  std::vector<std::uint64_t> out;
  for (std::uint64_t seed = 1; seed <= scenario.seeds; ++seed) out.push_back(seed);
  return out;
}

std::string name_of_file(const testing::TestParamInfo<std::string>& info) {
  std::string out = "s" + std::filesystem::path(info.param).stem().string();
  std::replace_if(
      out.begin(), out.end(),
      [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return out;
}

class SimScenario : public testing::TestWithParam<std::string> {};

TEST_P(SimScenario, stays_within_its_limits) {
  const Scenario scenario = read(GetParam());
  ASSERT_FALSE(scenario.sources.empty() && scenario.refclocks.empty());
  for (const std::uint64_t seed : seeds_of(scenario)) {
    const Outcome outcome = run(scenario, seed);
    std::printf("seed %llu: %llu trace entries, hash %016llx, worst error %s\n",
                static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(outcome.trace_entries),
                static_cast<unsigned long long>(outcome.trace_hash),
                format(outcome.worst_error).c_str());
    for (const std::string& text : outcome.violations) {
      ADD_FAILURE() << scenario.title << ", seed " << seed << ": " << text;
    }
  }
}

TEST_P(SimScenario, the_same_seed_gives_the_same_trace_and_another_another) {
  const Scenario scenario = read(GetParam());
  const std::uint64_t seed = seeds_of(scenario).front();
  const Outcome first = run(scenario, seed);
  const Outcome again = run(scenario, seed);
  const Outcome other = run(scenario, seed + 1000);
  EXPECT_GT(first.trace_entries, 10u);
  EXPECT_EQ(first.trace_hash, again.trace_hash) << "seed " << seed;
  EXPECT_NE(first.trace_hash, other.trace_hash) << "seed " << seed;
}

INSTANTIATE_TEST_SUITE_P(Files, SimScenario, testing::ValuesIn(scenario_files()), name_of_file);

}  // namespace
}  // namespace timepool::sim
