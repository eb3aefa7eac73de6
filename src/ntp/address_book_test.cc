#include "ntp/address_book.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace timepool::ntp {
namespace {

IpAddress ip(const char* text) {
  return parse_ip(text).value();
}
MonoTime at(std::int64_t seconds) {
  return MonoTime::from_ns(1) + Duration::seconds(seconds);
}
constexpr std::int64_t kDay = 86'400;

class AddressBookTest : public testing::Test {
 protected:
  std::string next(std::int64_t now) {
    wish_.now = at(now);
    const std::optional<IpAddress> found = book_.next(wish_);
    return found ? format(*found) : "";
  }
  void list(std::int64_t now, const std::vector<IpAddress>& addresses) {
    book_.update(addresses, at(now));
  }
  void use(const char* address, std::int64_t now = 0) { book_.use(ip(address), at(now)); }
  void drop(const char* address, std::int64_t now, DropCause cause = DropCause::kSilent) {
    book_.drop(ip(address), at(now), cause);
  }
  static ServerIdentity told(const char* address, std::uint32_t reference = 0) {
    return {ip(address), true, 2, wire::ntp::ReferenceId::from_bits(reference), {}};
  }
  AddressBook book_;
  AddressWish wish_;
};

TEST_F(AddressBookTest, F1_F2_all_addresses_are_kept_and_taken_in_order) {
  list(0, {ip("192.0.2.1"), ip("192.0.2.2"), ip("192.0.2.3")});
  EXPECT_EQ(book_.records().size(), 3u);
  EXPECT_EQ(next(0), "192.0.2.1");
  use("192.0.2.1");
  EXPECT_EQ(next(1), "192.0.2.2");
  drop("192.0.2.1", 10);
  use("192.0.2.2");
  EXPECT_EQ(next(11), "192.0.2.3");
}

TEST_F(AddressBookTest, F3_used_up_addresses_come_back_only_with_a_new_answer) {
  list(0, {ip("192.0.2.1")});
  use("192.0.2.1");
  drop("192.0.2.1", 10);
  EXPECT_EQ(next(10), "");
  EXPECT_EQ(next(2 * kDay), "");
  list(11, {ip("192.0.2.1"), ip("192.0.2.9")});
  EXPECT_EQ(next(11), "192.0.2.9");
  use("192.0.2.9");
  EXPECT_EQ(next(12), "192.0.2.1");
}

TEST_F(AddressBookTest, F8_an_address_in_use_stays_though_it_is_not_listed_any_more) {
  list(0, {ip("192.0.2.1"), ip("192.0.2.2")});
  use("192.0.2.1");
  list(5, {ip("192.0.2.3")});
  EXPECT_TRUE(book_.in_use(ip("192.0.2.1")));
  EXPECT_EQ(next(5), "192.0.2.3");
  drop("192.0.2.1", 9);  // CHECKs that it is still known
}

TEST_F(AddressBookTest, F11_what_was_dropped_within_a_day_comes_after_everything_else) {
  list(0, {ip("192.0.2.1"), ip("198.51.100.1"), ip("203.0.113.1")});
  use("192.0.2.1");
  drop("192.0.2.1", 10);
  use("198.51.100.1");
  drop("198.51.100.1", 10 + kDay / 2);
  list(kDay, {ip("192.0.2.1"), ip("198.51.100.1"), ip("203.0.113.1")});
  EXPECT_EQ(next(kDay), "203.0.113.1");
  use("203.0.113.1");
  EXPECT_EQ(next(kDay), "192.0.2.1");  // nothing else is left: dropped longest ago first
  wish_.only_good = true;
  EXPECT_EQ(next(kDay), "");
  EXPECT_EQ(next(kDay + 9), "");
  EXPECT_EQ(next(kDay + 10), "192.0.2.1");  // its day is over to the second
}

TEST_F(AddressBookTest, F11_a_drop_is_remembered_for_a_day_though_the_answers_forget_the_address) {
  list(0, {ip("192.0.2.1"), ip("192.0.2.2")});
  use("192.0.2.1");
  drop("192.0.2.1", 10);
  list(100, {ip("192.0.2.2")});
  list(3600, {ip("192.0.2.1"), ip("192.0.2.2"), ip("192.0.2.3")});
  use("192.0.2.2");
  use("192.0.2.3");
  wish_.only_good = true;
  EXPECT_EQ(next(3601), "");
}

TEST_F(AddressBookTest, what_an_outage_made_us_leave_is_not_held_against_it) {
  list(0, {ip("192.0.2.1"), ip("192.0.2.2")});
  use("192.0.2.1");
  drop("192.0.2.1", 10, DropCause::kUnproven);
  use("192.0.2.2");
  list(20, {ip("192.0.2.1"), ip("192.0.2.2")});
  wish_.only_good = true;
  EXPECT_EQ(next(21), "192.0.2.1");
}

TEST_F(AddressBookTest, B3_another_network_is_preferred_to_one_that_is_in_use) {
  list(0, {ip("192.0.2.2"), ip("2001:db8:1::7"), ip("198.51.100.1")});
  const std::vector<ServerIdentity> beside = {{ip("192.0.2.1"), false, 0, {}, {}},
                                              {ip("2001:db8:1:ff::1"), false, 0, {}, {}}};
  wish_.beside = beside;
  EXPECT_EQ(next(0), "198.51.100.1");
  use("198.51.100.1");
  EXPECT_EQ(next(0), "192.0.2.2");  // nothing else is left
}

TEST_F(AddressBookTest, B3_it_is_remembered_whom_an_address_follows) {
  list(0, {ip("192.0.2.2"), ip("198.51.100.1")});
  use("192.0.2.2");
  book_.answered(told("192.0.2.2", 0x0a000001), at(1));
  drop("192.0.2.2", 2, DropCause::kRedundant);
  const std::vector<ServerIdentity> beside = {told("203.0.113.1", 0x0a000001)};
  EXPECT_EQ(book_.dependence_of(ip("192.0.2.2"), beside), Dependence::kSameUpstream);
  EXPECT_EQ(book_.dependence_of(ip("198.51.100.1"), beside), Dependence::kNone);
  list(3, {ip("192.0.2.2"), ip("198.51.100.1")});
  wish_.beside = beside;
  EXPECT_EQ(next(4), "198.51.100.1");
}

TEST_F(AddressBookTest, the_family_that_has_a_route_comes_first) {
  list(0, {ip("2001:db8::1"), ip("192.0.2.1")});
  EXPECT_EQ(next(0), "2001:db8::1");
  wish_.route_v6 = false;
  EXPECT_EQ(next(0), "192.0.2.1");
  use("192.0.2.1");
  EXPECT_EQ(next(0), "2001:db8::1");
  wish_.only_good = true;
  EXPECT_EQ(next(0), "");
}

TEST_F(AddressBookTest, an_address_that_another_source_asks_is_left_to_it) {
  list(0, {ip("192.0.2.1"), ip("192.0.2.2")});
  const std::vector<Endpoint> taken = {{ip("192.0.2.1"), 123, 0}};
  wish_.taken = taken;
  wish_.port = 123;
  EXPECT_EQ(next(0), "192.0.2.2");
  wish_.port = 1123;  // another server
  EXPECT_EQ(next(0), "192.0.2.1");
}

TEST_F(AddressBookTest, keeps_no_more_than_64_addresses_and_each_once) {
  std::vector<IpAddress> many;
  for (std::uint32_t i = 0; i < 1000; ++i) many.push_back(IpAddress::v4(0x0a000000 + i / 2));
  list(0, many);
  EXPECT_EQ(book_.records().size(), kMaxAddresses);
  for (std::size_t i = 1; i < book_.records().size(); ++i) {
    EXPECT_NE(book_.records()[i - 1].address, book_.records()[i].address);
  }
  list(1, {ip("::ffff:192.0.2.1"), ip("192.0.2.1")});
  EXPECT_EQ(book_.records().size(), 1u);
  EXPECT_EQ(next(1), "192.0.2.1");
}

TEST_F(AddressBookTest, many_dropped_addresses_leave_room_for_new_ones) {
  std::int64_t now = 0;
  for (std::uint32_t i = 0; i < 200; ++i) {
    const IpAddress address = IpAddress::v4(0x0a000000 + i * 256);
    list(now, {address});
    const std::string found = next(now);
    ASSERT_EQ(found, format(address)) << i;
    book_.use(address, at(now));
    book_.drop(address, at(now + 20), DropCause::kSilent);
    now += 60;
  }
  EXPECT_LE(book_.records().size(), kMaxAddresses);
}

TEST_F(AddressBookTest, tells_what_became_of_each_address) {
  list(0, {ip("192.0.2.1")});
  use("192.0.2.1", 5);
  EXPECT_TRUE(book_.answered(told("192.0.2.1"), at(7)));
  EXPECT_FALSE(book_.answered(told("192.0.2.1"), at(9)));
  drop("192.0.2.1", 99, DropCause::kDenied);
  const AddressRecord& record = book_.records()[0];
  EXPECT_EQ(record.first_used, at(5));
  EXPECT_EQ(record.last_answer, at(9));
  EXPECT_EQ(record.dropped, at(99));
  EXPECT_EQ(name_of(record.cause), "denied");
}

TEST(AddressFault, names_what_no_server_has) {
  const auto fault = [](const char* address, FamilyChoice family = FamilyChoice::kBoth) {
    const auto found = fault_of({ip(address), 123, 0}, family, {});
    return found ? std::string(name_of(*found)) : "";
  };
  EXPECT_EQ(fault("0.0.0.0"), "unspecified");
  EXPECT_EQ(fault("0.1.2.3"), "unspecified");
  EXPECT_EQ(fault("::"), "unspecified");
  EXPECT_EQ(fault("::ffff:0.0.0.0"), "unspecified");
  EXPECT_EQ(fault("224.0.1.1"), "multicast");
  EXPECT_EQ(fault("239.255.255.255"), "multicast");
  EXPECT_EQ(fault("ff02::101"), "multicast");
  EXPECT_EQ(fault("240.0.0.1"), "reserved");
  EXPECT_EQ(fault("255.255.255.255"), "reserved");
  EXPECT_EQ(fault("fe80::1"), "link_local");
  EXPECT_EQ(fault("192.0.2.1", FamilyChoice::kV6), "wrong_family");
  EXPECT_EQ(fault("2001:db8::1", FamilyChoice::kV4), "wrong_family");
  EXPECT_EQ(fault("::ffff:192.0.2.1", FamilyChoice::kV4), "");
  EXPECT_EQ(fault("127.0.0.1"), "");
  EXPECT_EQ(fault("10.1.2.3"), "");
  EXPECT_EQ(fault("fd00::1"), "");
}

TEST(AddressFault, knows_our_own_addresses) {
  const std::vector<Endpoint> ours = {{ip("192.0.2.1"), 123, 0}, {ip("::"), 1123, 0}};
  const auto own = [&](const char* address, std::uint16_t port) {
    return fault_of({ip(address), port, 0}, FamilyChoice::kBoth, ours) == AddressFault::kOurs;
  };
  EXPECT_TRUE(own("192.0.2.1", 123));
  EXPECT_TRUE(own("::ffff:192.0.2.1", 123));
  EXPECT_FALSE(own("192.0.2.1", 124));
  EXPECT_FALSE(own("192.0.2.2", 123));
  EXPECT_TRUE(own("::1", 1123));
  EXPECT_TRUE(own("127.0.0.1", 1123));
  EXPECT_FALSE(own("127.0.0.1", 123));
}

}  // namespace
}  // namespace timepool::ntp
