#include "dnsd/transfer_journal.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "dns/zone/master_file.h"
#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::dnsd {
namespace {

std::shared_ptr<const dns::ZoneVersion> version(std::uint32_t serial, const std::string& more) {
  return dns::version_of(dns::load_master("$TTL 60\n@ SOA ns h " + std::to_string(serial) +
                                              " 1 1 1 30\n NS ns\nns A 192.0.2.1\n" + more,
                                          "example.net")
                             .value());
}

std::string names(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += "n" + std::to_string(i) + " TXT x\n";
  return out;
}

class TransferJournalTest : public ::testing::Test {
 protected:
  // A process that may write.
  std::unique_ptr<TransferJournal> open() {
    auto out = std::make_unique<TransferJournal>(root_.path(), logger_);
    EXPECT_TRUE(out->own());
    return out;
  }
  void write(TransferJournal& journal, std::uint32_t serial, const std::string& more) {
    auto next = version(serial, more);
    history_ = history_ == nullptr ? std::make_shared<const dns::ZoneHistory>(std::move(next))
                                   : history_->next(std::move(next));
    journal.write(*history_);
  }
  std::optional<KeptTransfers> read(TransferJournal& journal) {
    return journal.read(history_->current()->origin, 1);
  }
  std::uintmax_t size() const { return std::filesystem::file_size(file_); }

  sys::TemporaryDirectory root_;
  const std::string file_ = root_.path() + "/example.net.transfers";
  const std::string serial_ = root_.path() + "/example.net.serial";
  sys::Logger logger_{"test", sys::LogLevel::kError, -1};
  std::shared_ptr<const dns::ZoneHistory> history_;
};

TEST_F(TransferJournalTest, a_change_is_added_and_the_zone_is_not_written_again) {
  auto journal = open();
  write(*journal, 1, names(1000));
  const auto whole = size();
  for (std::uint32_t serial = 2; serial <= 20; ++serial) {
    write(*journal, serial, names(1000) + "new TXT " + std::to_string(serial) + "\n");
  }
  EXPECT_EQ(journal->counts().written, 20U);
  EXPECT_EQ(journal->counts().whole, 1U);
  EXPECT_LT(size() - whole, 19U * 300);
  EXPECT_EQ(journal->counts().octets, size());
  journal.reset();
  journal = open();
  auto kept = read(*journal);
  ASSERT_TRUE(kept && kept->history != nullptr);
  EXPECT_EQ(kept->serial, 20U);
  EXPECT_EQ(kept->history->current()->records, history_->current()->records);
  EXPECT_EQ(kept->history->difference_count(), history_->difference_count());
  // The next process adds to what it read.
  write(*journal, 21, names(1000));
  EXPECT_EQ(journal->counts().whole, 0U);
  EXPECT_EQ(read(*journal)->serial, 21U);
}

TEST_F(TransferJournalTest, changes_that_have_become_long_are_written_together_anew) {
  auto journal = open();
  // Of 200 records of 200 octets a quarter changes each time.
  const auto text = [](std::uint32_t serial) {
    std::string out;
    for (std::uint32_t i = 0; i < 200; ++i) {
      const char c = static_cast<char>('a' + (serial + i) / 4 % 26);
      out += "t" + std::to_string(i) + " TXT " + std::string(200, c) + "\n";
    }
    return out;
  };
  std::uintmax_t longest = 0;
  for (std::uint32_t serial = 1; serial <= 120; ++serial) {
    write(*journal, serial, text(serial));
    longest = std::max(longest, size());
  }
  EXPECT_GT(journal->counts().whole, 1U);
  EXPECT_LT(journal->counts().whole, 5U);
  EXPECT_LT(longest, TransferJournal::kMayAdd + (200U << 10));
  EXPECT_EQ(read(*journal)->serial, 120U);
  EXPECT_EQ(read(*journal)->history->current()->records, history_->current()->records);
}

// Such a difference is not kept: who follows copies the zone, which is shorter.
TEST_F(TransferJournalTest, a_change_that_is_longer_than_the_zone_begins_a_file_anew) {
  auto journal = open();
  write(*journal, 1, names(20));
  write(*journal, 2, "a TXT x\n");
  EXPECT_EQ(journal->counts().whole, 2U);
  EXPECT_EQ(read(*journal)->history->difference_count(), 0U);
  EXPECT_EQ(read(*journal)->serial, 2U);
}

TEST_F(TransferJournalTest, a_serial_that_does_not_go_on_begins_a_file_anew) {
  auto journal = open();
  write(*journal, 9, "");
  write(*journal, 3, "a TXT x\n");
  EXPECT_EQ(journal->counts().whole, 2U);
  EXPECT_EQ(read(*journal)->history->difference_count(), 0U);
}

// A process that is ended while it adds leaves a part of the change.
TEST_F(TransferJournalTest, a_change_that_was_not_added_wholly_is_left_out_and_its_serial_is_not) {
  auto journal = open();
  write(*journal, 1, names(50));
  write(*journal, 2, names(50) + "a TXT x\n");
  const auto before = size();
  write(*journal, 3, names(50) + "b TXT x\n");
  std::filesystem::resize_file(file_, (before + size()) / 2);
  journal.reset();
  journal = open();
  const auto kept = read(*journal);
  ASSERT_TRUE(kept && kept->history != nullptr);
  EXPECT_EQ(kept->history->current()->serial, 2U);
  EXPECT_EQ(kept->serial, 3U);
  EXPECT_EQ(journal->counts().cut, 1U);
  EXPECT_EQ(journal->counts().corrupt, 0U);
  // The next version is not added behind what does not hold.
  history_ = kept->history;
  write(*journal, 4, names(50));
  EXPECT_EQ(journal->counts().whole, 1U);
  EXPECT_EQ(read(*journal)->history->since(2).size(), 1U);
  EXPECT_EQ(journal->counts().cut, 1U);
}

TEST_F(TransferJournalTest, without_the_serial_of_what_was_cut_off_it_goes_far_ahead) {
  auto journal = open();
  write(*journal, 1, names(50));
  write(*journal, 2, names(50) + "a TXT x\n");
  std::filesystem::resize_file(file_, size() - 1);
  std::filesystem::remove(serial_);
  const auto kept = read(*journal);
  ASSERT_TRUE(kept && kept->history != nullptr);
  EXPECT_EQ(kept->history->current()->serial, 1U);
  EXPECT_EQ(kept->serial, 1U + TransferJournal::kLostSerials);
}

TEST_F(TransferJournalTest, a_file_that_somebody_removed_or_changed_is_written_anew) {
  auto journal = open();
  write(*journal, 1, "");
  std::filesystem::remove(file_);
  write(*journal, 2, "a TXT x\n");
  EXPECT_EQ(read(*journal)->serial, 2U);
  std::ofstream(file_, std::ios::app) << "more";
  write(*journal, 3, "b TXT x\n");
  EXPECT_EQ(journal->counts().whole, 3U);
  EXPECT_EQ(journal->counts().failed, 0U);
  EXPECT_EQ(read(*journal)->serial, 3U);
  EXPECT_EQ(journal->counts().cut, 0U);
}

TEST_F(TransferJournalTest, of_a_file_of_an_earlier_version_the_serial_is_taken) {
  auto journal = open();
  write(*journal, 7, "");
  ASSERT_TRUE(sys::write_file_atomic(file_, "timepool transfers 1\n\1 and more").ok());
  const auto kept = read(*journal);
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->serial, 7U);
  EXPECT_EQ(kept->history, nullptr);
  EXPECT_EQ(journal->counts().corrupt, 1U);
}

TEST_F(TransferJournalTest, who_may_not_write_reads_and_tells_nothing) {
  auto journal = open();
  write(*journal, 1, "");
  write(*journal, 2, "a TXT x\n");
  std::filesystem::resize_file(file_, size() - 1);
  TransferJournal other(root_.path(), logger_);
  EXPECT_FALSE(other.own());
  EXPECT_EQ(read(other)->history->current()->serial, 1U);
  EXPECT_EQ(other.counts().cut, 0U);
}

}  // namespace
}  // namespace timepool::dnsd
