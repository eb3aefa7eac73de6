#include "acme/saved_state.h"

#include <gtest/gtest.h>

namespace timepool::acme {
namespace {

SavedState full() {
  SavedState out;
  SavedAuthority& first = out.authority("https://one.test/dir");
  first.account = "https://one.test/account/7";
  first.failures = 3;
  first.next_try = UnixTime::from_seconds(1'800'000'000);
  first.last_failure = {UnixTime::from_seconds(1'799'999'000), FailureKind::kChallenge,
                        "a.example: \"refused\"\n"};
  static_cast<void>(out.authority("https://two.test/dir"));
  out.certificate = SavedCertificate{"https://one.test/dir",
                                     {"192.0.2.1", "a.example"},
                                     "aki.serial",
                                     UnixTime::from_seconds(1'700'000'000),
                                     UnixTime::from_seconds(1'707'776'000),
                                     UnixTime::from_seconds(1'705'000'000),
                                     "shortlived"};
  out.renewal = SavedRenewal{{UnixTime::from_seconds(1'704'000'000),
                              UnixTime::from_seconds(1'704'100'000), "https://one.test/why"},
                             UnixTime::from_seconds(1'704'050'000),
                             true};
  out.ask_again = UnixTime::from_seconds(1'700'021'600);
  return out;
}

StateFault fault_of(std::string_view text) {
  const auto parsed = parse_state(text);
  EXPECT_FALSE(parsed.ok()) << text;
  return parsed.ok() ? StateFault::kTooLong : parsed.error();
}

TEST(SavedState, reads_what_it_wrote) {
  SavedState expected = full();
  // Texts of strangers lose their control characters.
  expected.authorities[0].last_failure->text = "a.example: \"refused\"?";
  const auto parsed = parse_state(format_state(full()));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, expected);
  EXPECT_EQ(*parse_state(format_state(SavedState())), SavedState());
}

TEST(SavedState, has_the_text_that_the_header_shows) {
  SavedState state;
  state.authority("https://one.test/dir").account = "https://one.test/7";
  state.ask_again = UnixTime::from_seconds(1'800'000'000);
  EXPECT_EQ(format_state(state),
            R"({"version":1,"authorities":[{"directory":"https://one.test/dir",)"
            R"("account":"https://one.test/7"}],"ask_again":"2027-01-15T08:00:00Z"})"
            "\n");
}

TEST(SavedState, refuses_what_is_not_as_it_must_be) {
  EXPECT_EQ(fault_of(""), StateFault::kNotJson);
  EXPECT_EQ(fault_of("{\"version\":1,"), StateFault::kNotJson);
  EXPECT_EQ(fault_of("{}"), StateFault::kVersion);
  EXPECT_EQ(fault_of(R"({"version":2,"authorities":[]})"), StateFault::kVersion);
  EXPECT_EQ(fault_of(std::string(kMaxStateText + 1, ' ')), StateFault::kTooLong);
  const auto with = [](const std::string& members) {
    return fault_of(R"({"version":1,"authorities":[],)" + members + "}");
  };
  EXPECT_EQ(with(R"("ask_again":7)"), StateFault::kEntry);
  EXPECT_EQ(with(R"("certificate":{})"), StateFault::kEntry);
  EXPECT_EQ(with(R"("renewal":[])"), StateFault::kEntry);
  const auto authority = [](const std::string& members) {
    return fault_of(R"({"version":1,"authorities":[{)" + members + "}]}");
  };
  EXPECT_EQ(authority(""), StateFault::kEntry);
  EXPECT_EQ(authority(R"("directory":"http://one.test/")"), StateFault::kEntry);
  EXPECT_EQ(authority(R"("directory":"https://one.test/","failures":-1)"), StateFault::kEntry);
  EXPECT_EQ(authority(R"("directory":"https://one.test/","last_failure":{"at":"x"})"),
            StateFault::kEntry);
}

TEST(SavedState, keeps_no_more_authorities_than_it_may_and_those_in_use_longest) {
  SavedState state;
  for (std::size_t i = 0; i < kMaxAuthorities; ++i) {
    state.authority("https://" + std::to_string(i) + ".test/").account = "https://x.test/";
  }
  state.authorities[3].account.clear();
  static_cast<void>(state.authority("https://new.test/"));
  EXPECT_EQ(state.authorities.size(), kMaxAuthorities);
  EXPECT_EQ(state.find("https://3.test/"), nullptr);
  EXPECT_NE(state.find("https://new.test/"), nullptr);
}

TEST(SavedState, the_largest_fits_its_limit) {
  SavedState state = full();
  state.authorities.clear();
  for (std::size_t i = 0; i < kMaxAuthorities; ++i) {
    SavedAuthority& it = state.authority("https://" + std::to_string(i) + std::string(2030, 'x'));
    it.account = "https://" + std::string(2030, 'x');
    it.last_failure = {UnixTime(), FailureKind::kRefused, std::string(10'000, '"')};
  }
  state.certificate->names.clear();
  for (int i = 0; i < 100; ++i) {
    state.certificate->names.push_back(std::to_string(1000 + i) + "." + std::string(60, 'x') + "." +
                                       std::string(60, 'y') + "." + std::string(60, 'z') + "." +
                                       std::string(60, 'a'));
  }
  const std::string text = format_state(state);
  EXPECT_LT(text.size(), kMaxStateText);
  EXPECT_TRUE(parse_state(text).ok());
}

}  // namespace
}  // namespace timepool::acme
