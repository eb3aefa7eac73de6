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

std::string next_of(const Source& source) {
  const IpAddress* address = source.next_address();
  return address == nullptr ? "" : format(*address);
}

TEST(Source, F9_a_literal_is_never_looked_up) {
  Source source(0, named("192.0.2.1"), at(0));
  EXPECT_TRUE(source.is_literal());
  EXPECT_EQ(source.next_resolve(), MonoTime::max());
  EXPECT_EQ(next_of(source), "192.0.2.1");
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

TEST(Source, F1_F2_all_addresses_are_kept_and_taken_in_order) {
  Source source(0, named("a.test"), at(0));
  EXPECT_EQ(source.next_resolve(), at(0));
  source.resolving(at(0));
  source.handle_addresses(at(0), std::vector{ip("192.0.2.1"), ip("192.0.2.2"), ip("192.0.2.3")});
  EXPECT_EQ(next_of(source), "192.0.2.1");
  source.use(ip("192.0.2.1"));
  EXPECT_EQ(next_of(source), "192.0.2.2");
  source.drop(ip("192.0.2.1"), at(10));
  source.use(ip("192.0.2.2"));
  EXPECT_EQ(next_of(source), "192.0.2.3");
}

TEST(Source, F3_used_up_addresses_come_back_only_with_a_new_answer) {
  Source source(0, named("a.test"), at(0));
  source.resolving(at(0));
  source.handle_addresses(at(0), std::vector{ip("192.0.2.1")});
  source.use(ip("192.0.2.1"));
  source.drop(ip("192.0.2.1"), at(10));
  EXPECT_EQ(next_of(source), "");
  source.want_resolve(at(10));
  EXPECT_LE(source.next_resolve(), at(10));
  source.resolving(at(10));
  source.handle_addresses(at(11), std::vector{ip("192.0.2.1"), ip("192.0.2.9")});
  EXPECT_EQ(next_of(source), "192.0.2.9");
  source.use(ip("192.0.2.9"));
  EXPECT_EQ(next_of(source), "192.0.2.1");
  EXPECT_EQ(source.next_unused_address(), nullptr);
}

TEST(Source, F8_an_address_in_use_stays_though_it_is_not_listed_any_more) {
  Source source(0, named("a.test"), at(0));
  source.handle_addresses(at(0), std::vector{ip("192.0.2.1"), ip("192.0.2.2")});
  source.use(ip("192.0.2.1"));
  source.handle_addresses(at(5), std::vector{ip("192.0.2.3")});
  EXPECT_EQ(next_of(source), "192.0.2.3");
  source.drop(ip("192.0.2.1"), at(9));  // CHECKs that it is still known
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
  source.use(ip("192.0.2.1"));
  EXPECT_EQ(source.next_resolve(), at(3600));
  source.resolving(at(3600));
  EXPECT_EQ(source.next_resolve(), at(7200));
}

TEST(Source, F11_an_address_that_failed_comes_after_every_other) {
  Source source(0, named("a.test", SourceKind::kPool), at(0));
  source.handle_addresses(at(0), std::vector{ip("192.0.2.1"), ip("192.0.2.2")});
  source.use(ip("192.0.2.1"));
  source.use(ip("192.0.2.2"));
  source.drop(ip("192.0.2.2"), at(1));
  source.drop(ip("192.0.2.1"), at(2));
  source.handle_addresses(at(3), std::vector{ip("192.0.2.1"), ip("192.0.2.2"), ip("192.0.2.3")});
  EXPECT_EQ(next_of(source), "192.0.2.3");
  source.use(ip("192.0.2.3"));
  EXPECT_EQ(next_of(source), "192.0.2.2");  // failed longest ago
}

TEST(Source, keeps_no_more_than_64_addresses) {
  Source source(0, named("a.test"), at(0));
  std::vector<IpAddress> many;
  for (std::uint32_t i = 0; i < 200; ++i) many.push_back(IpAddress::v4(0x0a000000 + i));
  source.handle_addresses(at(0), many);
  int count = 0;
  while (source.next_address() != nullptr) {
    const IpAddress next = *source.next_address();
    source.use(next);
    ++count;
  }
  EXPECT_EQ(count, 64);
}

}  // namespace
}  // namespace timepool::ntp
