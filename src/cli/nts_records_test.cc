#include "cli/nts_records.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "base/hex.h"
#include "cli/step_log.h"

namespace timepool::cli {
namespace {

std::vector<std::string> lines(std::string_view hex) {
  return record_lines(from_hex(hex).value());
}

TEST(NtsRecords, each_is_a_line_with_what_it_says) {
  EXPECT_EQ(lines("800100020000"
                  "80040004001e000f"
                  "04000000"
                  "8006000b6e74702e6578616d706c65"
                  "800700020463"
                  "80000000"),
            (std::vector<std::string>{
                "NTS Next Protocol Negotiation: NTPv4, critical",
                "AEAD Algorithm Negotiation: AES-128-GCM-SIV (30), AES-SIV-CMAC-256 (15), critical",
                "Compliant AES-128-GCM-SIV Exporter Context",
                "NTPv4 Server Negotiation: ntp.example, critical",
                "NTPv4 Port Negotiation: 1123, critical", "End of Message, critical"}));
}

TEST(NtsRecords, equal_ones_are_one_line_with_their_number) {
  EXPECT_EQ(lines("00050002aaaa00050002bbbb00050001cc"),
            (std::vector<std::string>{"New Cookie for NTPv4: 2 octets, 2 times",
                                      "New Cookie for NTPv4: 1 octets"}));
}

TEST(NtsRecords, errors_empty_lists_and_unknown_ones_are_told) {
  EXPECT_EQ(lines("80020002000180040000c3210001ff"),
            (std::vector<std::string>{"Error: 1, bad request, critical",
                                      "AEAD Algorithm Negotiation: none, critical",
                                      "record 17185: 1 octets, critical"}));
}

TEST(NtsRecords, what_is_no_whole_record_is_a_last_line) {
  EXPECT_EQ(lines("8000000080"),
            (std::vector<std::string>{"End of Message, critical",
                                      "1 octets of a record that is not whole"}));
}

TEST(NtsRecords, a_name_can_not_write_to_the_terminal) {
  EXPECT_EQ(lines("000600051b5b324a61"),
            (std::vector<std::string>{"NTPv4 Server Negotiation: \\x1b[2Ja"}));
  EXPECT_EQ(printable("a\n\x7f\xff b"), "a\\x0a\\x7f\\xff b");
}

TEST(NtsRecords, as_JSON_each_has_type_name_and_length) {
  EXPECT_EQ(boost::json::serialize(record_json(from_hex("800400020011").value())),
            R"([{"type":4,"name":"AEAD Algorithm Negotiation","critical":true,"octets":2,)"
            R"("value":"algorithm 17"}])");
}

TEST(StepLog, shows_a_step_with_its_time_and_its_lines_below) {
  const Step good{"tcp", "", Duration::milliseconds(3), {"connected", "twice"}, {}};
  EXPECT_EQ(text_of(good), "tcp      connected (3.00ms)\n         twice");
  const Step bad{"tls", "expired", Duration(), {"CN=a"}, {}};
  EXPECT_EQ(text_of(bad), "tls      FAILED: expired\n         CN=a");
}

TEST(StepLog, as_JSON_names_the_first_step_that_failed) {
  StepLog log(true);
  EXPECT_TRUE(log.add({"dns", "", Duration::seconds(1), {}, {{"name", "a"}}}));
  EXPECT_FALSE(log.add({"tcp", "refused", Duration(), {}, {}}));
  const boost::json::object out = log.json();
  EXPECT_EQ(out.at("ok"), false);
  EXPECT_EQ(out.at("failed_step"), "tcp");
  EXPECT_EQ(out.at("error"), "refused");
  ASSERT_EQ(out.at("steps").as_array().size(), 2u);
  EXPECT_EQ(out.at("steps").at(0).at("name"), "a");
}

}  // namespace
}  // namespace timepool::cli
