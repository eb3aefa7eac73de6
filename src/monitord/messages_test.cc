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
