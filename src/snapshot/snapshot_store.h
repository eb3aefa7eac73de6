// SnapshotStore: the last few snapshots of one channel as files in a directory, so that a node that
// starts without its manager has what it had. A save is seen whole or not at all, also after a
// crash. One program, one thread at a time uses a directory and channel.
//
//   dns-00000000000000000042.snapshot
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/ed25519.h"
#include "snapshot/seal.h"

namespace timepool::snapshot {

class SnapshotStore {
 public:
  // Makes the directory when it is missing and removes what an interrupted save left. `keep` is at
  // least 1.
  static Result<SnapshotStore> create(std::string directory, std::string channel, std::size_t keep);

  // Writes the file durably, then removes all but the `keep` newest. On an error (a full disk) what
  // was there is still there.
  Result<void> save(std::uint64_t serial, std::string_view file);

  struct Loaded {
    std::optional<Snapshot> snapshot;  // the newest that opens
    std::string file;                  // its bytes
    std::vector<Error> skipped;        // newer ones that do not, and why
  };
  // Errors: the directory cannot be read.
  Result<Loaded> load(const std::vector<crypto::PublicKey>& keys) const;

  const std::string& directory() const { return directory_; }

 private:
  SnapshotStore(std::string directory, std::string channel, std::size_t keep);
  std::string path(std::uint64_t serial) const;
  // The serials of the files there are, the highest first.
  Result<std::vector<std::uint64_t>> serials() const;
  Result<void> remove_interrupted() const;

  std::string directory_;
  std::string channel_;
  std::size_t keep_;
};

}  // namespace timepool::snapshot
