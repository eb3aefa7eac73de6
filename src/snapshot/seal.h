// Sealing and opening snapshots: compression and signature around the format of
// wire/snapshot/file.h. Pure functions of their arguments; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "crypto/ed25519.h"

namespace timepool::snapshot {

struct Snapshot {
  std::uint64_t serial = 0;
  UnixTime created;
  std::string payload;
};

// The bytes of the file. `serial` above 0 and `created` not before 1970, else CHECK. Errors:
// kExhausted when the payload is empty or larger than the format allows.
Result<std::string> seal(std::string_view payload, std::uint64_t serial, UnixTime created,
                         const crypto::SigningKey& key);

// Opens a file that one of `keys` signed: several, so that a key can be replaced while nodes still
// know only the old one. The signature is verified before anything is decompressed, and no more is
// decompressed than the header says. Errors: kCorrupt, with what is wrong.
Result<Snapshot> open(std::string_view file, std::span<const crypto::PublicKey> keys);

}  // namespace timepool::snapshot
