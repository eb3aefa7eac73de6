#include "dns/transfer/journal.h"

#include <gtest/gtest.h>

#include <string>

#include "dns/zone/master_file.h"

namespace timepool::dns {
namespace {

std::shared_ptr<const ZoneVersion> version(std::uint32_t serial, const std::string& more) {
  return version_of(load_master("$TTL 60\n@ SOA ns h " + std::to_string(serial) +
                                    " 1 1 1 1\n NS ns\n NS other\nns A 192.0.2.1\n" + more,
                                "example.net")
                        .value());
}

std::shared_ptr<const ZoneHistory> history() {
  auto out = std::make_shared<const ZoneHistory>(version(1, "a TXT one\nb TXT x\nc TXT y\n"));
  out = out->next(version(2, "a TXT two\nb TXT x\nc TXT y\n"));
  return out->next(version(7, "a TXT two\nc TXT y\n*.w MX 5 \\000m\n"));
}

TEST(Journal, is_read_as_it_was_written) {
  const auto it = history();
  const auto bytes = format_journal(*it);
  const auto read = parse_journal(bytes);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(format(read->zone), "example.net.");
  EXPECT_EQ(read->serial, 7U);
  ASSERT_NE(read->history, nullptr);
  EXPECT_EQ(read->history->current()->soa, it->current()->soa);
  EXPECT_EQ(read->history->current()->records, it->current()->records);
  EXPECT_EQ(read->history->current()->size, it->current()->size);
  ASSERT_EQ(read->history->difference_count(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& a = *read->history->differences()[i];
    const auto& b = *it->differences()[i];
    EXPECT_EQ(a.from, b.from);
    EXPECT_EQ(a.to, b.to);
    EXPECT_EQ(a.removed, b.removed);
    EXPECT_EQ(a.added, b.added);
    EXPECT_EQ(a.size, b.size);
  }
  EXPECT_EQ(read->history->since(1).size(), 2U);
  EXPECT_EQ(format_journal(*read->history), bytes);
}

TEST(Journal, of_a_long_one_the_serial_alone_is_kept) {
  const auto it = history();
  const std::size_t whole = format_journal(*it).size();
  EXPECT_EQ(format_journal(*it, whole).size(), whole);
  EXPECT_FALSE(is_serial_alone(format_journal(*it, whole)));
  const auto bytes = format_journal(*it, whole - 1);
  EXPECT_LT(bytes.size(), 60U);
  EXPECT_TRUE(is_serial_alone(bytes));
  const auto read = parse_journal(bytes);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->serial, 7U);
  EXPECT_EQ(read->history, nullptr);
}

TEST(Journal, damaged_at_any_octet_or_cut_anywhere_it_is_refused) {
  const auto bytes = format_journal(*history());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] ^= std::byte{0x10};
    EXPECT_FALSE(parse_journal(damaged).ok()) << i;
    EXPECT_FALSE(parse_journal(Bytes(bytes).first(i)).ok()) << i;
  }
  auto longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(parse_journal(longer).ok());
  EXPECT_EQ(parse_journal(std::as_bytes(std::span("rubbish, and more of it than a head"))).error(),
            JournalFault::kNotOurs);
}

TEST(Journal, differences_that_do_not_follow_each_other_are_refused) {
  const auto it = history();
  const auto& differences = it->differences();
  EXPECT_NE(ZoneHistory::restore(it->current(), {differences[0], differences[1]}), nullptr);
  EXPECT_NE(ZoneHistory::restore(it->current(), {differences[1]}), nullptr);
  EXPECT_EQ(ZoneHistory::restore(it->current(), {differences[0]}), nullptr);
  EXPECT_EQ(ZoneHistory::restore(it->current(), {differences[1], differences[0]}), nullptr);
}

}  // namespace
}  // namespace timepool::dns
