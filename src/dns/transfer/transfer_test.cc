#include "dns/transfer/transfer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "dns/zone/master_file.h"
#include "wire/dns/message.h"

namespace timepool::dns {
namespace {

using wire::dns::RrType;
using Lines = std::vector<std::string>;

std::string head(std::uint32_t serial) {
  return "$TTL 60\n@ SOA ns h " + std::to_string(serial) + " 1 1 1 1\n NS ns\nns A 192.0.2.1\n";
}
Zone master(const std::string& text) {
  return load_master(text, "example.net").value();
}
TransferMachine::Question question(RrType type) {
  return {7, 0, wire::dns::DnsName::from_text("example.net.").value(), type, false};
}

// Every message's records, and how many messages there were.
Lines records_of(TransferMachine machine, std::size_t room = 65535, int* messages = nullptr) {
  Lines out;
  std::vector<std::byte> buffer(room);
  for (int count = 0;; ++count) {
    const std::size_t size = machine.next(buffer);
    if (size == 0) {
      if (messages != nullptr) *messages = count;
      return out;
    }
    const auto message = wire::dns::parse_message(Bytes(buffer).first(size));
    EXPECT_TRUE(message.ok());
    EXPECT_EQ(message->header().id, 7);
    EXPECT_EQ(message->header().question_count, count == 0 ? 1 : 0);
    EXPECT_TRUE(message->header().has(wire::dns::Header::kAa));
    auto cursor = message->records();
    while (const auto record = cursor.next()) out.push_back(format(*message, *record));
  }
}

std::shared_ptr<const ZoneHistory> history(const std::string& text) {
  return std::make_shared<ZoneHistory>(version_of(master(text)));
}

const std::string kSoa1 = "example.net. 60 IN SOA ns.example.net. h.example.net. 1 1 1 1 1";
const std::string kSoa2 = "example.net. 60 IN SOA ns.example.net. h.example.net. 2 1 1 1 1";
const std::string kSoa3 = "example.net. 60 IN SOA ns.example.net. h.example.net. 3 1 1 1 1";

TEST(Transfer, gives_the_whole_zone_between_its_soa_twice) {
  const auto version = version_of(master(head(1) + "*.w TXT a b\nw\\.x MX 5 m\n"));
  EXPECT_EQ(
      records_of(TransferMachine::whole(question(RrType::kAxfr), version)),
      (Lines{kSoa1, "*.w.example.net. 60 IN TXT \"a\" \"b\"", "ns.example.net. 60 IN A 192.0.2.1",
             "w\\.x.example.net. 60 IN MX 5 m.example.net.",
             "example.net. 60 IN NS ns.example.net.", kSoa1}));
}

TEST(Transfer, fills_messages_and_loses_no_record_between_them) {
  std::string text = head(1);
  for (int i = 0; i < 3000; ++i)
    text += "n" + std::to_string(i) + " TXT " + std::string(90, 'x') + "\n";
  const auto version = version_of(master(text));
  int messages = 0;
  const Lines all =
      records_of(TransferMachine::whole(question(RrType::kAxfr), version), 8192, &messages);
  EXPECT_EQ(all.size(), 3000U + 4U);
  EXPECT_GT(messages, 30);
  EXPECT_LT(messages, 50);
  EXPECT_EQ(records_of(TransferMachine::whole(question(RrType::kAxfr), version)), all);
}

TEST(Transfer, gives_the_differences_since_a_serial) {
  auto it = history(head(1) + "a A 192.0.2.2\nb TXT x\n");
  it = it->next(version_of(master(head(2) + "a A 192.0.2.3\nb TXT x\n")));
  it = it->next(version_of(master(head(3) + "a A 192.0.2.3\nb 30 TXT x\n")));
  const Lines since2{
      kSoa3, kSoa2, "b.example.net. 60 IN TXT \"x\"", kSoa3, "b.example.net. 30 IN TXT \"x\"",
      kSoa3};
  EXPECT_EQ(records_of(TransferMachine::changes(question(RrType::kIxfr), *it, 2)), since2);
  EXPECT_EQ(records_of(TransferMachine::changes(question(RrType::kIxfr), *it, 1)),
            (Lines{kSoa3, kSoa1, "a.example.net. 60 IN A 192.0.2.2", kSoa2,
                   "a.example.net. 60 IN A 192.0.2.3", kSoa2, "b.example.net. 60 IN TXT \"x\"",
                   kSoa3, "b.example.net. 30 IN TXT \"x\"", kSoa3}));
  // Up to date, or ahead: the SOA alone.
  EXPECT_EQ(records_of(TransferMachine::changes(question(RrType::kIxfr), *it, 3)), Lines{kSoa3});
  EXPECT_EQ(records_of(TransferMachine::changes(question(RrType::kIxfr), *it, 9)), Lines{kSoa3});
  EXPECT_TRUE(TransferMachine::changes(question(RrType::kIxfr), *it, 3).is_single());
  // A serial that is not known: the whole zone.
  const Lines whole = records_of(TransferMachine::changes(question(RrType::kIxfr), *it, 0));
  EXPECT_EQ(whole, records_of(TransferMachine::whole(question(RrType::kIxfr), it->current())));
  EXPECT_EQ(whole.size(), 6U);
}

TEST(Transfer, keeps_differences_no_longer_than_the_zone) {
  std::string much = head(1);
  for (int i = 0; i < 200; ++i) much += "n" + std::to_string(i) + " TXT x\n";
  auto it = history(much);
  for (std::uint32_t serial = 2; serial < 200; ++serial) {
    it = it->next(version_of(master(head(serial) + much.substr(head(1).size()) + "x TXT " +
                                    std::to_string(serial) + "\n")));
  }
  EXPECT_EQ(it->difference_count(), ZoneHistory::kMaxDifferences);
  EXPECT_FALSE(it->since(199 - 64).empty());
  EXPECT_TRUE(it->since(199 - 65).empty());
  // All of it another: longer than the zone.
  it = it->next(version_of(master(head(200))));
  EXPECT_EQ(it->difference_count(), 0U);
  it = it->next(version_of(master(head(201) + "a TXT b\n")));
  EXPECT_EQ(it->difference_count(), 1U);
  // A serial that does not go on: nothing leads there.
  it = it->next(version_of(master(head(201) + "a TXT c\n")));
  EXPECT_EQ(it->difference_count(), 0U);
}

TEST(Transfer, serials_go_round) {
  EXPECT_TRUE(is_after(1, 0));
  EXPECT_TRUE(is_after(0, 0xffff'ffff));
  EXPECT_TRUE(is_after(0x7fff'ffff, 0));
  EXPECT_FALSE(is_after(0x8000'0000, 0));
  EXPECT_FALSE(is_after(5, 5));
}

TEST(Transfer, a_pool_is_one_representative_set) {
  const Zone zone = load_zone(R"({"serial": 9, "ttl": 60, "max_hosts": 2, "data": {
    "": {"ns": ["ns1.example.org."], "alias": "pool"},
    "pool": {"a": [["192.0.2.1", 1], ["192.0.2.2", 9], ["192.0.2.3", 5]], "txt": "t"},
    "us": {"a": [["192.0.2.9", 1]], "ttl": 5}, "www.[192.0.2.7]": {"a": [["192.0.2.8"]]},
    "c": {"cname": [["x.", 1], ["y.", 2]], "a": [["192.0.2.4"]]}, "al": {"alias": "us"}}})",
                              "example.net", 1)
                        .value();
  const std::string soa =
      "example.net. 600 IN SOA ns1.example.org. hostmaster.example.net. 9 5400 5400 1209600 3600";
  // In the order of the owners' octets.
  EXPECT_EQ(
      records_of(TransferMachine::whole(question(RrType::kAxfr), version_of(zone))),
      (Lines{soa, "c.example.net. 60 IN CNAME y.", "al.example.net. 5 IN A 192.0.2.9",
             "us.example.net. 5 IN A 192.0.2.9", "pool.example.net. 60 IN A 192.0.2.2",
             "pool.example.net. 60 IN A 192.0.2.3", "pool.example.net. 60 IN TXT \"t\"",
             "example.net. 60 IN A 192.0.2.2", "example.net. 60 IN A 192.0.2.3",
             "example.net. 86400 IN NS ns1.example.org.", "example.net. 60 IN TXT \"t\"", soa}));
}

}  // namespace
}  // namespace timepool::dns
