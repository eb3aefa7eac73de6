#include "monitord/messages.h"

#include <gtest/gtest.h>

namespace timepool::monitord {
namespace {

TEST(Messages, reads_work) {
  const auto work = parse_work(
      R"({"work":[{"server":7,"address":"127.0.0.11","port":11123,"samples":2,"ticket":"abc"},)"
      R"({"server":8,"address":"::1","ticket":"def"}],"interval_ms":500})");
  ASSERT_TRUE(work.ok()) << work.error().text();
  ASSERT_EQ(work->size(), 2U);
  EXPECT_EQ((*work)[0].server, 7);
  EXPECT_EQ(format((*work)[0].endpoint), "127.0.0.11:11123");
  EXPECT_EQ((*work)[0].samples, 2);
  EXPECT_EQ((*work)[1].endpoint.port, 123);
  EXPECT_EQ((*work)[1].samples, 3);
  EXPECT_EQ((*work)[1].ticket, "def");
}

TEST(Messages, refuses_work_that_makes_no_sense) {
  for (const char* text :
       {"", "[]", "{}", R"({"work":{}})", R"({"work":[1]})", R"({"work":[{"address":"::1"}]})",
        R"({"work":[{"server":1}]})", R"({"work":[{"server":1,"address":"x"}]})",
        R"({"work":[{"server":1,"address":"::1","port":0}]})",
        R"({"work":[{"server":1,"address":"::1","port":65536}]})",
        R"({"work":[{"server":1,"address":"::1","samples":17}]})",
        R"({"work":[{"server":1.5,"address":"::1"}]})"}) {
    EXPECT_FALSE(parse_work(text).ok()) << text;
  }
}

TEST(Messages, reads_work_of_nts) {
  const auto work =
      parse_work(R"({"work":[{"server":7,"address":"::1","ticket":"a",)"
                 R"("nts":{"name":"alice.m.pool.test","port":4460,"trust":"system"}},)"
                 R"({"server":8,"address":"::1","ticket":"b"}]})");
  ASSERT_TRUE(work.ok()) << work.error().text();
  ASSERT_TRUE((*work)[0].nts.has_value());
  EXPECT_EQ((*work)[0].nts->name, "alice.m.pool.test");
  EXPECT_EQ((*work)[0].nts->port, 4460);
  EXPECT_EQ((*work)[0].nts->trust, "system");
  EXPECT_FALSE((*work)[1].nts.has_value());
}

TEST(Messages, refuses_work_of_nts_that_makes_no_sense) {
  for (const char* nts :
       {"1", "{}", R"({"name":"a.test","trust":"system"})", R"({"name":"a.test","port":4460})",
        R"({"name":"a.test","port":0,"trust":"system"})",
        R"({"name":"a.test","port":65536,"trust":"system"})",
        R"({"name":"a b","port":4460,"trust":"system"})",
        R"({"name":"","port":4460,"trust":"system"})"}) {
    const std::string text =
        R"({"work":[{"server":1,"address":"::1","nts":)" + std::string(nts) + "}]}";
    EXPECT_FALSE(parse_work(text).ok()) << nts;
  }
}

TEST(Messages, writes_what_a_check_of_nts_came_to_and_nothing_else) {
  ProbeResult good{5, "t", UnixTime::from_seconds(1'000'000'000), {}};
  good.nts = NtsResult{"a.test", 4460, pool::NtsOutcome::kOk};
  good.nts->not_after = UnixTime::from_seconds(1'000'086'400);
  good.nts->cookies = 8;
  good.nts->aead = 15;
  good.nts->ke_took = Duration::milliseconds(250);
  good.nts->offset = -0.5;
  ProbeResult bad{6, "u", UnixTime::from_seconds(1'000'000'000), {}};
  bad.nts = NtsResult{"b.test", 4461, pool::NtsOutcome::kKeError};
  bad.nts->code = 2;
  bad.nts->detail = "why";
  EXPECT_EQ(write_results({good, bad}),
            R"({"results":[{"server":5,"ticket":"t","time":"2001-09-09T01:46:40.000000Z",)"
            R"("samples":[],"nts":{"name":"a.test","port":4460,"outcome":"ok",)"
            R"("not_after":"2001-09-10T01:46:40Z","cookies":8,"aead":15,"ke_ms":2.5E2,)"
            R"("offset_s":-5E-1}},)"
            R"({"server":6,"ticket":"u","time":"2001-09-09T01:46:40.000000Z","samples":[],)"
            R"("nts":{"name":"b.test","port":4461,"outcome":"ke_error","code":2,)"
            R"("detail":"why"}}]})");
}

TEST(Messages, writes_every_sample_with_its_error_or_its_values) {
  Sample good;
  good.offset = -0.0125;
  good.rtt = 0.003;
  good.stratum = 2;
  good.refid = "192.0.2.1";
  Sample timeout;
  timeout.error = "timeout";
  Sample kod;
  kod.error = "kod";
  kod.kod = "RATE";
  const std::string text =
      write_results({{5, "t", UnixTime::from_seconds(1'000'000'000), {good, timeout, kod}}});
  EXPECT_EQ(text,
            R"({"results":[{"server":5,"ticket":"t","time":"2001-09-09T01:46:40.000000Z",)"
            R"("samples":[{"offset_s":-1.25E-2,"rtt_s":3E-3,"stratum":2,"leap":0,)"
            R"("root_delay_s":0E0,"root_dispersion_s":0E0,"refid":"192.0.2.1","precision":0},)"
            R"({"error":"timeout"},{"error":"kod","kod":"RATE"}]}]})");
}

TEST(Messages, reads_verdicts_and_errors) {
  const auto verdict =
      parse_verdict(R"({"accepted":3,"rejected":[{"index":1,"reason":"stale ticket"}]})");
  ASSERT_TRUE(verdict.ok());
  EXPECT_EQ(verdict->accepted, 3U);
  ASSERT_EQ(verdict->rejected.size(), 1U);
  EXPECT_EQ(verdict->rejected[0].reason, "stale ticket");
  EXPECT_FALSE(parse_verdict("{}").ok());
  EXPECT_EQ(error_message(R"({"error":{"code":"denied","message":"no such token"}})"),
            "no such token");
  EXPECT_EQ(error_message("<html>"), "<html>");
}

}  // namespace
}  // namespace timepool::monitord
