// AEAD (base/aead.h) by libgcrypt, the one library of Debian 12 that has both of NTS's algorithms.
// A handle and its schedules are made once; a new key, a packet sealed or opened allocate nothing.
// The library is set up at the first AeadMaker and keeps no memory locked.
#pragma once

#include <memory>

#include "base/aead.h"

namespace timepool::crypto {

// Makers are values without state of their own: any number of threads may use one.
class GcryptAeads final : public AeadMaker {
 public:
  // CHECKs that the library is not older than what it was compiled with.
  GcryptAeads();
  // The key is wiped with the Aead.
  std::unique_ptr<Aead> make(AeadId id) const override;
};

}  // namespace timepool::crypto
