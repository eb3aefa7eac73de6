// What is told of each cause and each prospect, against tests/golden/explain.txt. With
// TIMEPOOL_WRITE_GOLDEN=1 the file is written anew: read the difference before it is committed.
#include "ntp/explain.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace timepool::ntp {
namespace {

constexpr const char* kGolden = TIMEPOOL_SOURCE_DIR "/tests/golden/explain.txt";

SourceFacts facts_of(Cause cause) {
  SourceFacts out;
  SourceReport& report = out.report;
  report.name = "pool.example";
  report.kind = SourceKind::kPool;
  report.association = 3;
  report.server = parse_endpoint("192.0.2.1:123").value();
  report.cause = cause;
  report.status = status_of(cause);
  report.reach = 0xff;
  report.poll = 6;
  report.requests = 40;
  report.last_reason = ReplyReason::kAccepted;
  report.has_estimate = true;
  report.age = Duration::milliseconds(12'345);
  Estimate& estimate = report.estimate;
  estimate.offset = Duration::nanoseconds(-1'234'567);
  estimate.sample.delay = Duration::microseconds(10'440);
  estimate.sample.stratum = 2;
  estimate.distance = Duration::microseconds(7'654);
  estimate.jitter = Duration::microseconds(120);
  out.prospects.next_request = Duration::milliseconds(51'655);
  out.prospects.addresses = 4;
  out.prospects.spare = 2;
  out.prospects.misses_limit = 8;
  out.prospects.useless_limit = 8;
  out.tracking.synchronised = true;
  out.tracking.offset = Duration::microseconds(310);
  out.tracking.uncertainty = Duration::microseconds(2'200);
  return out;
}

SourceFacts without_measurement(Cause cause) {
  SourceFacts out = facts_of(cause);
  out.report.has_estimate = false;
  out.report.reach = 0;
  out.report.requests = 3;
  out.report.unanswered = 2;
  out.report.last_reason = ReplyReason::kUnsolicited;
  out.prospects.misses = 2;
  return out;
}

std::string text_of(const std::string& name, const SourceFacts& facts) {
  std::string out = "## " + name + "\n" + title_of(facts) + "\n";
  for (const std::string& sentence : explain(facts)) out += "- " + sentence + "\n";
  return out + "\n";
}

std::string all_causes() {
  std::string out;
  for (std::size_t i = 0; i < kCauseCount; ++i) {
    const auto cause = static_cast<Cause>(i);
    SourceFacts facts = facts_of(cause);
    if (cause == Cause::kUnreachable || cause == Cause::kNoSamples) {
      facts = without_measurement(cause);
    }
    if (cause == Cause::kUnsynchronised) {
      facts.report.last_reason = ReplyReason::kUnsynchronised;
      facts.prospects.useless = 1;
    }
    if (cause == Cause::kFalseticker) facts.prospects.useless = 3;
    if (cause == Cause::kNoMajority) facts.tracking.synchronised = false;
    if (cause == Cause::kWaitsForOthers) facts.config.min_sources = 3;
    out += text_of("cause " + std::string(name_of(cause)), facts);
  }
  return out;
}

std::string all_prospects() {
  std::string out;
  SourceFacts facts = facts_of(Cause::kNoSamples);
  facts.report.server.reset();
  facts.prospects = {};
  facts.prospects.next_lookup = Duration::seconds(16);
  out += text_of("a name without an address", facts);

  facts = facts_of(Cause::kSelected);
  facts.report.server.reset();
  facts.report.kind = SourceKind::kRefclock;
  facts.report.name = "SHM:0";
  facts.prospects = {};
  out += text_of("a reference clock", facts);

  facts = facts_of(Cause::kSelected);
  facts.report.kind = SourceKind::kBroadcast;
  facts.report.name = "broadcast%eth0";
  facts.prospects.literal = true;
  out += text_of("a server that broadcasts", facts);

  facts.report.server.reset();
  facts.prospects = {};
  out += text_of("broadcasts of which none came", facts);

  facts = without_measurement(Cause::kUnreachable);
  facts.prospects.literal = true;
  facts.report.kind = SourceKind::kServer;
  facts.report.name = "192.0.2.1";
  out += text_of("an address that does not answer", facts);

  facts = without_measurement(Cause::kUnreachable);
  facts.prospects.outage = true;
  out += text_of("an outage", facts);

  facts = without_measurement(Cause::kUnreachable);
  facts.prospects.misses = 8;
  facts.prospects.spare = 0;
  facts.prospects.next_lookup = Duration::seconds(0);
  out += text_of("failed, and no other address", facts);

  facts = without_measurement(Cause::kUnreachable);
  facts.prospects.denied = true;
  facts.prospects.misses = 0;
  facts.report.last_reason = ReplyReason::kKissDeny;
  out += text_of("refused", facts);

  facts = facts_of(Cause::kFalseticker);
  facts.prospects.useless = 8;
  facts.prospects.replacements_rest = Duration::seconds(754);
  out += text_of("a liar that has to wait for its replacement", facts);

  facts = facts_of(Cause::kWaitsForOthers);
  facts.agreement = Agreement::kNotRequired;
  out += text_of("no required source", facts);

  facts = facts_of(Cause::kSelected);
  facts.report.authenticated = true;
  facts.report.options = {true, true, true, false};
  out += text_of("all options", facts);

  facts = facts_of(Cause::kCombined);
  facts.report.last_reason = ReplyReason::kWrongOrigin;
  facts.prospects.online = false;
  out += text_of("offline, and forged replies", facts);
  return out;
}

std::string all_histories() {
  std::string out;
  for (const Dependence dependence : {Dependence::kSameUpstream, Dependence::kFollows,
                                      Dependence::kSameNetwork, Dependence::kSameHost}) {
    SourceFacts facts = facts_of(Cause::kCombined);
    facts.prospects.dependence = dependence;
    facts.prospects.depends_on = "198.51.100.1:123";
    out += text_of("dependence " + std::string(name_of(dependence)), facts);
  }
  SourceFacts facts = facts_of(Cause::kCombined);
  for (const DropCause cause :
       {DropCause::kSilent, DropCause::kUseless, DropCause::kDenied, DropCause::kSurplus}) {
    facts.prospects.dropped.push_back({"203.0.113." + std::to_string(static_cast<int>(cause)),
                                       cause,
                                       Duration::seconds(3600 * (1 + static_cast<int>(cause)))});
  }
  return out + text_of("what was given up, the latest three", facts);
}

TEST(Explain, every_cause_and_prospect_is_told_as_in_the_golden_file) {
  const std::string got = all_causes() + all_prospects() + all_histories();
  if (std::getenv("TIMEPOOL_WRITE_GOLDEN") != nullptr) std::ofstream(kGolden) << got;
  std::ifstream file(kGolden);
  const std::string wanted{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(got, wanted);
}

TEST(Explain, no_two_causes_are_told_alike) {
  std::vector<std::vector<std::string>> all;
  for (std::size_t i = 0; i < kCauseCount; ++i) {
    all.push_back(explain(facts_of(static_cast<Cause>(i))));
    // State, measurement, why, what would change it, what happens next.
    EXPECT_GE(all.back().size(), 5u) << name_of(static_cast<Cause>(i));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_NE(all[i][2], all[j][2]);
      EXPECT_NE(all[i].back() + all[i][3] + all[i][4], all[j].back() + all[j][3] + all[j][4]);
    }
  }
}

}  // namespace
}  // namespace timepool::ntp
