#include "ntp/source.h"

#include <gtest/gtest.h>

#include <vector>

namespace timepool::ntp {
namespace {

IpAddress ip(const char* text) {
  return parse_ip(text).value();
}
MonoTime at(std::int64_t seconds) {
  return MonoTime::from_ns(1) + Duration::seconds(seconds);
}

SourceConfig named(const char* name, SourceKind kind = SourceKind::kServer) {
  SourceConfig out;
  out.name = name;
  out.kind = kind;
  return out;
}

// What is in use is known to the book; nothing else is beside it.
std::string next_of(const Source& source, MonoTime now, bool only_good = false) {
  AddressWish wish;
  wish.now = now;
  wish.only_good = only_good;
  const std::optional<IpAddress> address = source.next_address(wish);
  return address ? format(*address) : "";
}

TEST(Source, F9_a_literal_is_never_looked_up) {
  Source source(0, named("192.0.2.1"), at(0));
  EXPECT_TRUE(source.is_literal());
  EXPECT_EQ(source.next_resolve(), MonoTime::max());
  EXPECT_EQ(next_of(source, at(0)), "192.0.2.1");
  source.want_resolve(at(1));
  EXPECT_EQ(source.next_resolve(), MonoTime::max());
}

TEST(Source, F4_a_server_wants_one_address_and_a_pool_four) {
  EXPECT_EQ(Source(0, named("a.test"), at(0)).wanted(), 1u);
  EXPECT_EQ(Source(0, named("a.test", SourceKind::kPool), at(0)).wanted(), 4u);
  SourceConfig two = named("a.test");
  two.max_addresses = 2;
  EXPECT_EQ(Source(0, two, at(0)).wanted(), 2u);
  EXPECT_EQ(Source(0, named("::1", SourceKind::kPool), at(0)).wanted(), 1u);
}

TEST(Source, failed_lookups_are_repeated_with_growing_intervals_and_never_given_up) {
  Source source(0, named("a.test"), at(0));
  MonoTime now = at(0);
  std::vector<std::int64_t> gaps;
  for (int i = 0; i < 12; ++i) {
    source.resolving(now);
    source.handle_addresses(now, {});
    gaps.push_back((source.next_resolve() - now).ns() / 1'000'000'000);
    now = source.next_resolve();
  }
  EXPECT_EQ(gaps,
            (std::vector<std::int64_t>{4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024, 1024}));
}

TEST(Source, F12_a_name_with_enough_addresses_is_looked_up_each_hour) {
  Source source(0, named("a.test"), at(0));
  source.resolving(at(0));
  source.handle_addresses(at(0), std::vector{ip("192.0.2.1")});
  source.use(ip("192.0.2.1"), at(0));
  EXPECT_EQ(source.next_resolve(), at(3600));
  source.resolving(at(3600));
  EXPECT_EQ(source.next_resolve(), at(7200));
}

TEST(Source, F3_a_dead_address_that_is_all_the_dns_knows_is_looked_up_more_and_more_rarely) {
  Source source(0, named("a.test"), at(0));
  MonoTime now = at(0);
  int lookups = 0;
  while (now < at(4 * 3600)) {
    source.resolving(now);
    ++lookups;
    source.handle_addresses(now, std::vector{ip("192.0.2.1")});
    source.use(ip("192.0.2.1"), now);
    source.drop(ip("192.0.2.1"), now + Duration::seconds(16), DropCause::kSilent);
    source.want_resolve(now + Duration::seconds(16));
    now = std::max(now + Duration::seconds(17), source.next_resolve());
  }
  EXPECT_LE(lookups, 25);
  EXPECT_GE(lookups, 14);  // F3: never give up
}

TEST(Source, an_answer_of_nothing_but_rubbish_is_no_answer) {
  Source source(0, named("a.test"), at(0));
  source.resolving(at(0));
  source.handle_addresses(at(0), std::vector{ip("0.0.0.0"), ip("224.0.1.1"), ip("255.255.255.255"),
                                             ip("fe80::1"), ip("ff05::101"), ip("::")});
  EXPECT_EQ(source.ignored(), 6u);
  EXPECT_TRUE(source.undecided());
  EXPECT_EQ(next_of(source, at(1)), "");
  EXPECT_EQ(source.next_resolve(), at(4));
}

TEST(Source, addresses_at_which_this_machine_serves_are_not_used) {
  Source source(0, named("a.test"), at(0));
  const std::vector<Endpoint> ours = {{ip("192.0.2.1"), 123, 0}, {ip("0.0.0.0"), 124, 0}};
  source.handle_addresses(at(0), std::vector{ip("192.0.2.1"), ip("127.0.0.1")}, ours);
  EXPECT_EQ(next_of(source, at(1)), "127.0.0.1");  // another port is served there
  EXPECT_EQ(source.ignored(), 1u);
}

TEST(Source, a_family_may_be_asked_for) {
  SourceConfig config = named("a.test");
  config.family = FamilyChoice::kV6;
  Source source(0, config, at(0));
  source.handle_addresses(at(0), std::vector{ip("192.0.2.1"), ip("2001:db8::1")});
  EXPECT_EQ(next_of(source, at(1)), "2001:db8::1");
}

TEST(Source, after_four_addresses_left_without_proof_more_are_left_more_and_more_rarely) {
  Source source(0, named("a.test"), at(0));
  std::vector<IpAddress> many;
  for (std::uint32_t i = 0; i < 40; ++i) many.push_back(IpAddress::v4(0xc0000201 + i));
  source.handle_addresses(at(0), many);
  std::vector<std::int64_t> at_seconds;
  std::size_t next = 0;
  for (std::int64_t second = 0; second < 5 * 3600; ++second) {
    if (!source.may_leave_unproven(at(second))) continue;
    source.use(many[next], at(second));
    source.drop(many[next++], at(second), DropCause::kUnproven);
    at_seconds.push_back(second);
  }
  ASSERT_GE(at_seconds.size(), 12u);
  EXPECT_EQ(at_seconds[3], 3);
  EXPECT_EQ(at_seconds[4], 3 + 64);
  EXPECT_EQ(at_seconds[5], 3 + 64 + 128);
  EXPECT_LE(at_seconds.size(), 28u);
  ServerIdentity server;
  server.address = many[0];
  source.answered(server, at(5 * 3600));
  EXPECT_TRUE(source.may_leave_unproven(at(5 * 3600)));
}

TEST(SourceLimits, B34_a_peer_must_be_authenticated) {
  SourceConfig config;
  config.kind = SourceKind::kPeer;
  config.name = "192.0.2.1";
  EXPECT_NE(broken_limit(config).find("key"), std::string::npos);
  config.authenticated = true;
  EXPECT_EQ(broken_limit(config), "");
}

}  // namespace
}  // namespace timepool::ntp
