#include "web/json_input.h"

#include <gtest/gtest.h>

#include "web/json_text.h"
#include "web/results_input.h"

namespace timepool::web {
namespace {

std::string fault_of(const std::string& body) {
  const auto parsed = parse_object(body);
  return parsed.ok() ? std::string() : parsed.error().text();
}

TEST(JsonInput, takes_one_object_and_says_where_another_text_fails) {
  EXPECT_EQ(fault_of("{}"), "");
  EXPECT_NE(fault_of(""), "");
  EXPECT_NE(fault_of("{\"a\":1} x").find("extra data"), std::string::npos);
  EXPECT_NE(fault_of("[1]").find("expected a JSON object"), std::string::npos);
  EXPECT_EQ(fault_of("{\"a\":tru}"), "body: not JSON at byte 5: syntax error");
  EXPECT_NE(fault_of("{\"a\":\"\xff\"}"), "");
  EXPECT_NE(fault_of("{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}").find("deep"),
            std::string::npos);
}

TEST(JsonInput, fields_are_checked_by_type_and_range) {
  const auto object =
      parse_object(R"({"t":"text","i":5,"d":1.5,"b":true,"n":null,"u":18446744073709551615})");
  const Fields fields(*object, "x.");
  EXPECT_EQ(fields.text("t", 10)->value(), "text");
  EXPECT_EQ(fields.text("t", 3).error().text(), "x.t: expected at most 3 bytes");
  EXPECT_EQ(fields.text("i", 3).error().text(), "x.i: expected a text");
  EXPECT_EQ(fields.integer("i", 0, 5)->value(), 5);
  EXPECT_EQ(fields.integer("i", 6, 9).error().text(), "x.i: expected an integer, 6 to 9");
  EXPECT_FALSE(fields.integer("d", 0, 9).ok());
  EXPECT_FALSE(fields.integer("u", 0, 9).ok());
  EXPECT_EQ(fields.number("i", 0, 9)->value(), 5);
  EXPECT_EQ(fields.number("d", 0, 9)->value(), 1.5);
  EXPECT_FALSE(fields.number("d", 2, 9).ok());
  EXPECT_FALSE(fields.number("t", 2, 9).ok());
  EXPECT_EQ(fields.boolean("b")->value(), true);
  EXPECT_FALSE(fields.boolean("i").ok());
  EXPECT_FALSE(fields.text("n", 9)->has_value());
  EXPECT_FALSE(fields.text("absent", 9)->has_value());
  EXPECT_FALSE(fields.array("t", 9).ok());
  EXPECT_EQ(required(fields, "absent", fields.text("absent", 9)).error().text(),
            "x.absent: is missing");
  EXPECT_EQ(only_fields(*object, {"t", "i", "d", "b", "n"}).error().text(), "u: no such field");
}

constexpr const char* kResult =
    R"({"results":[{"server":1,"ticket":"t","time":"2026-11-21T12:00:00Z",
  "samples":[{"offset_s":-0.001,"rtt_s":0.02,"stratum":2,"leap":0,"root_delay_s":0.01,
  "root_dispersion_s":0.001,"refid":"GPS","precision":-23},
  {"error":"timeout"},{"error":"kod","kod":"RATE","stratum":0}]}]})";

TEST(ResultsInput, reads_all_samples) {
  const auto results = parse_results(kResult);
  ASSERT_TRUE(results.ok()) << results.error().text();
  ASSERT_EQ(results->size(), 1u);
  const service::ReportedResult& result = results->front();
  EXPECT_EQ(result.fault, "");
  EXPECT_EQ(result.server, 1);
  EXPECT_EQ(format_utc(result.time, 0), "2026-11-21T12:00:00Z");
  ASSERT_EQ(result.samples.size(), 3u);
  EXPECT_EQ(result.samples[0].sample.offset_s, -0.001);
  EXPECT_EQ(result.samples[0].entry.refid, "GPS");
  EXPECT_EQ(result.samples[0].entry.precision, -23);
  EXPECT_EQ(result.samples[1].entry.error, "timeout");
  EXPECT_EQ(result.samples[2].sample.kiss, pool::KissCode::kRate);
  EXPECT_EQ(result.samples[2].entry.error, "kod RATE");
}

std::string result_fault(std::string from, const std::string& to) {
  std::string body = kResult;
  body.replace(body.find(from), from.size(), to);
  const auto results = parse_results(body);
  return results.ok() ? results->at(0).fault : "batch: " + results.error().text();
}

TEST(ResultsInput, fault_of_one_result_names_its_field) {
  EXPECT_EQ(result_fault("-0.001", "\"x\""),
            "samples[0].offset_s: expected a number, -10000000000 to 10000000000");
  EXPECT_EQ(result_fault("\"offset_s\":-0.001,", ""), "samples[0].offset_s: is missing");
  EXPECT_EQ(result_fault("0.02", "1e999"), "samples[0].rtt_s: expected a number, -1 to 3600");
  EXPECT_EQ(result_fault("\"stratum\":2", "\"stratum\":256"),
            "samples[0].stratum: expected an integer, 0 to 255");
  EXPECT_EQ(result_fault("\"timeout\"", "\"tired\""),
            "samples[1].error: expected timeout, kod, unreachable or bogus");
  EXPECT_EQ(result_fault("2026-11-21T12:00:00Z", "yesterday"),
            "time: expected UTC as 2026-01-31T12:34:56.789Z");
  EXPECT_EQ(result_fault("\"server\":1,", ""), "server: is missing");
  EXPECT_EQ(result_fault("{\"error\":\"timeout\"}", "3"), "samples[1]: expected an object");
  EXPECT_EQ(result_fault("\"results\"", "\"result\""), "batch: result: no such field");
}

std::string with_nts(const std::string& nts) {
  std::string body = kResult;
  return body.insert(body.find("\"samples\""), "\"nts\":" + nts + ",");
}
std::string nts_fault(const std::string& nts) {
  const auto results = parse_results(with_nts(nts));
  return results.ok() ? results->at(0).fault : "batch: " + results.error().text();
}

TEST(ResultsInput, reads_what_was_found_of_nts) {
  const auto good = parse_results(with_nts(
      R"({"name":"a.m.pool.test","port":4461,"outcome":"ok","not_after":"2027-02-19T10:00:00Z",)"
      R"("cookies":8,"aead":15,"ke_ms":41.5,"offset_s":-0.25})"));
  ASSERT_TRUE(good.ok());
  ASSERT_EQ(good->at(0).fault, "");
  ASSERT_TRUE(good->at(0).nts.has_value());
  const service::ReportedNts& nts = *good->at(0).nts;
  EXPECT_EQ(nts.name, "a.m.pool.test");
  EXPECT_EQ(nts.port, 4461);
  EXPECT_EQ(nts.outcome, pool::NtsOutcome::kOk);
  EXPECT_EQ(format_utc(*nts.not_after, 0), "2027-02-19T10:00:00Z");
  EXPECT_EQ(nts.cookies, 8);
  EXPECT_EQ(nts.aead, 15);
  EXPECT_EQ(nts.ke_ms, 41.5);
  EXPECT_EQ(nts.offset_s, -0.25);
  const auto bad = parse_results(
      with_nts(R"({"name":"a","port":1,"outcome":"ke_error","code":2,"detail":"no"})"));
  ASSERT_TRUE(bad.ok() && bad->at(0).nts.has_value());
  EXPECT_EQ(bad->at(0).nts->code, 2);
  EXPECT_EQ(bad->at(0).nts->detail, "no");
  EXPECT_EQ(parse_results(kResult)->at(0).nts, std::nullopt);
}

TEST(ResultsInput, fault_of_nts_names_its_field) {
  EXPECT_EQ(nts_fault("3"), "nts: expected an object");
  EXPECT_EQ(nts_fault("{}"), "nts.name: is missing");
  EXPECT_EQ(nts_fault(R"({"name":"a","port":0})"), "nts.port: expected an integer, 1 to 65535");
  EXPECT_EQ(nts_fault(R"({"name":"a","port":1,"outcome":"great"})"),
            "nts.outcome: is none of the words of docs/api.md");
  EXPECT_EQ(nts_fault(R"({"name":"a","port":1,"outcome":"ok"})"), "nts.not_after: is missing");
  EXPECT_EQ(nts_fault(R"({"name":"a","port":1,"outcome":"no_reply","not_after":"soon"})"),
            "nts.not_after: expected UTC as 2026-01-31T12:34:56.789Z");
  EXPECT_EQ(nts_fault(R"({"name":"a","port":1,"outcome":"no_reply","detail":")" +
                      std::string(201, 'x') + "\"}"),
            "nts.detail: expected at most 200 bytes");
}

TEST(ResultsInput, batch_is_bounded) {
  std::string body = "{\"results\":[";
  for (int i = 0; i <= 500; ++i) body += i > 0 ? ",{}" : "{}";
  EXPECT_EQ(parse_results(body + "]}").error().text(), "results: expected at most 500 items");
  EXPECT_EQ(parse_results("{\"results\":[1]}").error().text(),
            "results: expected an array of objects");
  EXPECT_EQ(parse_results("{}").error().text(), "results: is missing");
}

TEST(JsonText, writes_what_the_parser_reads_back) {
  const std::string text = R"({"a":[1,-2,18446744073709551615,10.5,1e-09,0],)"
                           R"("b":{"c":"x\"\\\u0000\u007fü"},"d":null,"e":true})";
  const auto object = parse_object(text);
  ASSERT_TRUE(object.ok());
  EXPECT_EQ(json_text(*object), text);
}

}  // namespace
}  // namespace timepool::web
