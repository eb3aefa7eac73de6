// Spool: batches of results on disk until the manager has acknowledged them, oldest first.
//
// A batch is one file SEQUENCE-COUNT-KEY.json, written whole or not at all, so that a restart finds
// every batch with the idempotency key that it may have been sent under before. When the files
// take more than the limit, the oldest go and are counted. A batch that can't be written (a full
// disk) is held in memory and sent like the others, and written once another could be; only a crash
// before that loses it. Any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"

namespace timepool::monitord {

class Spool {
 public:
  struct Batch {
    std::uint64_t sequence = 0;
    std::string key;
    std::string body;
  };
  struct Counts {
    std::uint64_t batches = 0;  // held now
    std::uint64_t bytes = 0;    // of them
    std::uint64_t results = 0;  // in them
    std::uint64_t dropped_batches = 0;
    std::uint64_t dropped_results = 0;
    std::uint64_t unwritten_batches = 0;   // held in memory only
    std::uint64_t unreadable_batches = 0;  // set aside; their files stay
  };

  // Takes over what a former run left in `directory`, which is made when missing. Errors: the
  // system's, with the setting's name.
  static Result<Spool> open(const std::string& directory, std::uint64_t max_bytes);
  Spool(Spool&& other) noexcept;

  // The batch is durable when this returns success. On an error it is held in memory.
  Result<void> add(const std::string& key, std::string body, std::uint64_t results);
  // The oldest batch. A file that is gone is dropped and counted, one that can't be read is set
  // aside until the next start and counted; then the next is taken.
  std::optional<Batch> oldest();
  // It was acknowledged, or will never be accepted.
  void remove(std::uint64_t sequence);
  // Why the last batch was set aside; empty when none was since the last call.
  std::string take_unreadable();
  Counts counts() const;

 private:
  struct Entry {
    std::uint64_t sequence = 0;
    std::uint64_t results = 0;
    std::uint64_t bytes = 0;
    std::string key;
    std::optional<std::string> unwritten;  // the body, when there is no file
  };

  Spool(std::string directory, std::uint64_t max_bytes)
      : directory_(std::move(directory)), max_bytes_(max_bytes) {}
  Result<void> take_over();
  std::string path_of(const Entry& entry) const;
  void drop_front();
  void write_held();
  void set_aside_front(const Error& error);
  void forget(std::size_t index);

  std::string directory_;
  std::uint64_t max_bytes_;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;
  std::uint64_t next_sequence_ = 1;
  std::string last_unreadable_;
  Counts counts_;
};

// A fresh idempotency key: 32 hexadecimal digits.
std::string new_key();

}  // namespace timepool::monitord
