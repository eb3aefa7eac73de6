// That the watch over a scenario sees what it is there to see.
#include "sim/scenario.h"

#include <gtest/gtest.h>

namespace timepool::sim {
namespace {

constexpr const char* kGood = R"(
title = "good"
duration = "10m"
[client.clock]
frequency_ppm = 100.0
[[server]]
name = "good"
address = "192.0.2.1"
[[source]]
name = "192.0.2.1"
)";

Scenario parsed(const std::string& text) {
  auto scenario = parse_scenario("x.toml", text);
  EXPECT_TRUE(scenario.ok()) << (scenario.ok() ? "" : config::format(scenario.error()));
  return scenario.ok() ? *scenario : Scenario{};
}

std::string violations_of(const std::string& text) {
  std::string out;
  for (const std::string& violation : run(parsed(text), 1).violations) out += violation + "\n";
  return out;
}

std::string problems_of(const std::string& text) {
  const auto scenario = parse_scenario("x.toml", text);
  return scenario.ok() ? "" : config::format(scenario.error());
}

TEST(Scenario, a_server_worse_than_it_claims_breaks_the_reported_bound) {
  std::string worse = kGood;
  worse.replace(worse.find("address ="), 0, "clock = { offset = \"100ms\" }\n");
  const std::string found = violations_of(worse);
  EXPECT_NE(found.find("outside the reported bound"), std::string::npos) << found;
  EXPECT_NE(found.find("good is honest"), std::string::npos) << found;
}

TEST(Scenario, each_broken_limit_is_named) {
  const auto broken = [](const std::string& limits) {
    return violations_of(std::string(kGood) + "[client]\nclock_error_ppb = 150_000\n[expect]\n" +
                         limits);
  };
  EXPECT_NE(broken("max_error = '1us'").find("above the limit"), std::string::npos);
  EXPECT_NE(broken("max_uncertainty = '1us'").find("uncertainty"), std::string::npos);
  EXPECT_NE(broken("synchronised = false").find("synchronised at the end"), std::string::npos);
  EXPECT_NE(broken("synchronised_within = '1ms'").find("synchronised at"), std::string::npos);
  EXPECT_NE(broken("falsetickers = ['good']").find("falsetickers at the end: none"),
            std::string::npos);
  EXPECT_NE(broken("reasons = ['kiss_rate']").find("no reply was kiss_rate"), std::string::npos);
  EXPECT_NE(broken("reasons_never = ['accepted']").find("were accepted"), std::string::npos);
  EXPECT_NE(broken("events = ['falseticker']").find("nothing became falseticker"),
            std::string::npos);
  EXPECT_NE(broken("requests = [{server = 'good', max = 1}]").find("was asked"), std::string::npos);
  EXPECT_NE(
      broken("replaced = [{server = 'good', from = '0s', until = '1s'}]").find("not replaced"),
      std::string::npos);
}

TEST(Scenario, faults_of_the_file_have_their_place) {
  EXPECT_NE(problems_of("title = 'x'\nduratoin = '5m'\n").find("x.toml:2:1"), std::string::npos);
  EXPECT_NE(problems_of(std::string(kGood) + "[expect]\nreference = ['goood']\n")
                .find("no [[server]] named \"goood\""),
            std::string::npos);
  EXPECT_NE(problems_of(std::string(kGood) + "[expect]\nreasons = ['kis']\n").find("no reason"),
            std::string::npos);
  EXPECT_NE(problems_of(std::string(kGood) + "[expect]\nevents = ['x']\n").find("no event"),
            std::string::npos);
}

}  // namespace
}  // namespace timepool::sim
