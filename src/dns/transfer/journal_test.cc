#include "dns/transfer/journal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "dns/zone/master_file.h"

namespace timepool::dns {
namespace {

class Octets final : public JournalWriter::Sink {
 public:
  bool take(Bytes octets) override {
    longest = std::max(longest, octets.size());
    all.insert(all.end(), octets.begin(), octets.end());
    return all.size() <= most;
  }
  std::vector<std::byte> all;
  std::size_t longest = 0;
  std::size_t most = std::size_t{1} << 30;
};

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

// A file as it becomes over `versions`: written whole at first, then added to. `ends` has its size
// after each.
struct File {
  std::vector<std::byte> octets;
  std::vector<std::size_t> ends;
  std::shared_ptr<const ZoneHistory> history;
};
File grown(const std::vector<std::shared_ptr<const ZoneVersion>>& versions) {
  File out;
  Octets sink;
  JournalWriter writer;
  out.history = std::make_shared<const ZoneHistory>(versions.front());
  EXPECT_TRUE(writer.write(*out.history, sink));
  out.ends.push_back(sink.all.size());
  for (std::size_t i = 1; i < versions.size(); ++i) {
    out.history = out.history->next(versions[i]);
    EXPECT_TRUE(writer.write(*out.history->differences().back(), writer.mark(), sink));
    EXPECT_EQ(writer.mark().size, sink.all.size());
    out.ends.push_back(sink.all.size());
  }
  out.octets = sink.all;
  return out;
}
File grown() {
  return grown({version(1, "a TXT one\nb TXT x\nc TXT y\n"),
                version(2, "a TXT two\nb TXT x\nc TXT y\n"),
                version(7, "a TXT two\nc TXT y\n*.w MX 5 \\000m\n"),
                version(8, "a TXT one\nb TXT x\nc TXT y\n")});
}

Result<Journal, JournalFault> read(Bytes bytes, std::size_t piece = 4096) {
  JournalReader reader;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    if (!reader.feed(bytes.subspan(at, std::min(piece, bytes.size() - at)))) break;
  }
  return reader.finish();
}

void expect_same(const ZoneHistory& a, const ZoneHistory& b) {
  EXPECT_EQ(a.current()->origin, b.current()->origin);
  EXPECT_EQ(a.current()->serial, b.current()->serial);
  EXPECT_EQ(a.current()->soa, b.current()->soa);
  EXPECT_EQ(a.current()->records, b.current()->records);
  EXPECT_EQ(a.current()->size, b.current()->size);
  ASSERT_EQ(a.difference_count(), b.difference_count());
  for (std::size_t i = 0; i < a.difference_count(); ++i) {
    EXPECT_EQ(a.differences()[i]->from, b.differences()[i]->from);
    EXPECT_EQ(a.differences()[i]->to, b.differences()[i]->to);
    EXPECT_EQ(a.differences()[i]->removed, b.differences()[i]->removed);
    EXPECT_EQ(a.differences()[i]->added, b.differences()[i]->added);
    EXPECT_EQ(a.differences()[i]->size, b.differences()[i]->size);
  }
}

TEST(Journal, is_read_as_it_was_written) {
  const auto it = history();
  Octets sink;
  JournalWriter writer;
  ASSERT_TRUE(writer.write(*it, sink));
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, sink.all.size()}) {
    const auto got = read(sink.all, piece);
    ASSERT_TRUE(got.ok());
    EXPECT_EQ(format(got->zone), "example.net.");
    EXPECT_EQ(got->rest, std::nullopt);
    EXPECT_EQ(got->mark.serial, 7U);
    EXPECT_EQ(got->mark.size, sink.all.size());
    EXPECT_EQ(got->mark.base, sink.all.size());
    EXPECT_EQ(got->mark.digest, writer.mark().digest);
    ASSERT_EQ(got->history->difference_count(), 2U);
    expect_same(*got->history, *it);
    EXPECT_EQ(got->history->since(1).size(), 2U);
  }
}

TEST(Journal, what_is_added_is_read_as_one_history) {
  const File file = grown();
  const auto got = read(file.octets);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->mark.size, file.octets.size());
  EXPECT_EQ(got->mark.base, file.ends.front());
  EXPECT_EQ(got->mark.serial, 8U);
  expect_same(*got->history, *file.history);
  // It goes on from there as from the first process's own mark.
  Octets more;
  more.all = file.octets;
  JournalWriter writer;
  const auto next = got->history->next(version(9, "z TXT new\n"));
  ASSERT_TRUE(writer.write(*next->differences().back(), got->mark, more));
  const auto again = read(more.all);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->rest, std::nullopt);
  EXPECT_EQ(again->history->current()->records, next->current()->records);
}

TEST(Journal, a_change_adds_what_changed_and_not_the_zone) {
  std::string names;
  for (int i = 0; i < 2000; ++i) names += "n" + std::to_string(i) + " TXT x\n";
  const File file = grown({version(1, names), version(2, names + "new TXT x\n")});
  EXPECT_GT(file.ends[0], 40'000U);
  EXPECT_LT(file.ends[1] - file.ends[0], 250U);
  EXPECT_TRUE(read(file.octets).ok());
}

TEST(Journal, a_long_one_is_handed_on_in_pieces_and_read_in_frames) {
  std::string names;
  for (int i = 0; i < 3000; ++i)
    names += "n" + std::to_string(i) + " TXT " + std::string(250, 'x') + " " +
             std::string(250, 'y') + "\n";
  Octets sink;
  JournalWriter writer;
  const ZoneHistory it(version(1, names));
  ASSERT_TRUE(writer.write(it, sink));
  EXPECT_GT(sink.all.size(), 1'500'000U);
  EXPECT_LT(sink.longest, (std::size_t{1} << 20) + 2 * kMaxFrame);
  const auto got = read(sink.all, 100'000);
  ASSERT_TRUE(got.ok());
  expect_same(*got->history, it);
  Octets full;
  full.most = 1000;
  EXPECT_FALSE(writer.write(it, full));
  EXPECT_LE(full.all.size(), (std::size_t{1} << 20) + 2 * kMaxFrame) << "asked again after false";
}

TEST(Journal, cut_anywhere_it_holds_as_far_as_the_last_whole_change) {
  const File file = grown();
  for (std::size_t size = 0; size < file.octets.size(); ++size) {
    const auto got = read(Bytes(file.octets).first(size));
    const auto whole = static_cast<std::size_t>(
        std::upper_bound(file.ends.begin(), file.ends.end(), size) - file.ends.begin());
    ASSERT_EQ(got.ok(), whole > 0) << size;
    if (whole == 0) {
      EXPECT_EQ(got.error(), JournalFault::kTruncated) << size;
      continue;
    }
    EXPECT_EQ(got->mark.size, file.ends[whole - 1]);
    EXPECT_EQ(got->history->difference_count(), whole - 1);
    const bool at_end = file.ends[whole - 1] == size;
    EXPECT_EQ(got->rest, at_end ? std::nullopt : std::optional(JournalFault::kTruncated)) << size;
  }
}

TEST(Journal, damaged_at_any_octet_it_holds_as_far_as_the_change_before) {
  const File file = grown();
  for (std::size_t at = 0; at < file.octets.size(); ++at) {
    auto damaged = file.octets;
    damaged[at] ^= std::byte{0x10};
    const auto got = read(damaged);
    const auto whole = static_cast<std::size_t>(
        std::upper_bound(file.ends.begin(), file.ends.end(), at) - file.ends.begin());
    ASSERT_EQ(got.ok(), whole > 0) << at;
    if (whole == 0) continue;
    EXPECT_EQ(got->mark.size, file.ends[whole - 1]) << at;
    EXPECT_TRUE(got->rest.has_value()) << at;
  }
}

// A system that lost power may leave a file of the new size with nothing in it.
TEST(Journal, an_end_of_zeros_is_left_out) {
  File file = grown();
  file.octets.resize(file.octets.size() + 4096);
  const auto got = read(file.octets);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->rest, JournalFault::kDigest);
  EXPECT_EQ(got->mark.size, file.ends.back());
  expect_same(*got->history, *file.history);
}

TEST(Journal, one_change_is_never_taken_for_another) {
  const File file = grown();
  const auto part = [&](std::size_t i) {
    return Bytes(file.octets).subspan(file.ends[i - 1], file.ends[i] - file.ends[i - 1]);
  };
  for (const auto& order : {std::vector<std::size_t>{2}, {1, 1}, {1, 3}, {2, 1}}) {
    std::vector<std::byte> mixed(file.octets.begin(),
                                 file.octets.begin() + static_cast<std::ptrdiff_t>(file.ends[0]));
    for (const std::size_t i : order) mixed.insert(mixed.end(), part(i).begin(), part(i).end());
    const auto got = read(mixed);
    ASSERT_TRUE(got.ok());
    EXPECT_EQ(got->rest, JournalFault::kDigest);
    EXPECT_EQ(got->history->difference_count(), order[0] == 1 ? 1U : 0U);
  }
}

TEST(Journal, what_is_none_is_told_from_one_of_before) {
  const auto fault = [](std::string_view text) {
    return read(std::as_bytes(std::span(text))).error();
  };
  EXPECT_EQ(fault("rubbish, and more of it than a head"), JournalFault::kNotOurs);
  EXPECT_EQ(fault("timepool transfers 1\n\1 and so on"), JournalFault::kOldFormat);
  EXPECT_EQ(fault("timepool trans"), JournalFault::kTruncated);
  EXPECT_EQ(fault(""), JournalFault::kTruncated);
}

TEST(Journal, differences_that_do_not_follow_each_other_are_refused) {
  const auto it = history();
  const auto& differences = it->differences();
  EXPECT_NE(ZoneHistory::restore(it->current(), {differences[0], differences[1]}), nullptr);
  EXPECT_NE(ZoneHistory::restore(it->current(), {differences[1]}), nullptr);
  EXPECT_EQ(ZoneHistory::restore(it->current(), {differences[0]}), nullptr);
  EXPECT_EQ(ZoneHistory::restore(it->current(), {differences[1], differences[0]}), nullptr);
}

// Of a file whose octets are right but whose change is of another version: never applied.
TEST(Journal, a_change_that_takes_what_is_not_there_is_refused) {
  const File file = grown();
  const auto first = read(Bytes(file.octets).first(file.ends[0]));
  ASSERT_TRUE(first.ok());
  const auto other = std::make_shared<const ZoneHistory>(version(1, "q TXT q\n"));
  const auto next = other->next(version(2, "a TXT one\n"));
  Octets sink;
  sink.all.assign(file.octets.begin(),
                  file.octets.begin() + static_cast<std::ptrdiff_t>(file.ends[0]));
  JournalWriter writer;
  ASSERT_TRUE(writer.write(*next->differences().back(), first->mark, sink));
  const auto got = read(sink.all);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->rest, JournalFault::kBadRecord);
  EXPECT_EQ(got->mark.size, file.ends[0]);
}

}  // namespace
}  // namespace timepool::dns
