// Files read and written in pieces, for what is too long to be in memory twice. As sys/file.h a
// crash leaves the old or the new.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/result.h"
#include "sys/fd.h"

namespace timepool::sys {

// A new file beside `path` that takes its place when all is written. Without commit() nothing is
// left of it. Errors name the path.
class FileReplacement {
 public:
  // `mode` as in chmod.
  static Result<FileReplacement> create(const std::string& path, mode_t mode = 0644);
  FileReplacement(FileReplacement&& other) noexcept;
  FileReplacement& operator=(FileReplacement&&) = delete;
  ~FileReplacement();

  Result<void> write(std::span<const std::byte> bytes);
  // fsync, rename, fsync of the directory.
  Result<void> commit();

 private:
  FileReplacement(std::string path, std::string temporary)
      : path_(std::move(path)), temporary_(std::move(temporary)) {}

  std::string path_;
  std::string temporary_;  // empty: there is none any more
  Fd file_;
};

// What is added to the end of a file. Without commit() it is taken back, as far as the system lets
// it; after a crash a part of it may be there. Errors name the path; kInvalid: the file has not the
// size that the caller knows it with.
class FileAddition {
 public:
  static Result<FileAddition> create(const std::string& path, std::uint64_t size);
  FileAddition(FileAddition&& other) noexcept;
  FileAddition& operator=(FileAddition&&) = delete;
  ~FileAddition();

  Result<void> write(std::span<const std::byte> bytes);
  // fdatasync.
  Result<void> commit();

 private:
  FileAddition(std::string path, std::uint64_t size, Fd file)
      : path_(std::move(path)), size_(size), file_(std::move(file)) {}

  std::string path_;
  std::uint64_t size_;
  Fd file_;  // none any more: nothing is to be taken back
};

// What was made, renamed or removed in the directory is durable then.
Result<void> sync_directory(const std::string& path);

// Reads a file from its beginning to its end, or until `take` returns false.
Result<void> read_pieces(const std::string& path,
                         const std::function<bool(std::span<const std::byte>)>& take);

}  // namespace timepool::sys
