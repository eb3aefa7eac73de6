// A Mac for tests of the protocol, without a cryptographic library: it tells changed messages and
// other keys apart, and is no secret.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/siphash.h"
#include "ntp/server/symmetric_key.h"

namespace timepool::ntp {

class TestMac final : public Mac {
 public:
  TestMac(std::uint64_t secret, std::size_t size) : secret_(secret), size_(size) {}
  std::size_t size() const override { return size_; }
  void sign(Bytes message, MutableBytes digest) const override {
    CHECK(digest.size() <= size_);
    for (std::size_t i = 0; i < digest.size(); ++i) {
      digest[i] = static_cast<std::byte>(siphash24({secret_, i}, message));
    }
  }
  bool verify(Bytes message, Bytes digest) const override {
    if (digest.empty() || digest.size() > size_) return false;
    std::array<std::byte, kMaxMacDigest> right{};
    sign(message, MutableBytes(right).first(digest.size()));
    return std::equal(digest.begin(), digest.end(), right.begin());
  }

 private:
  std::uint64_t secret_;
  std::size_t size_;
};

inline std::shared_ptr<const SymmetricKey> test_key(KeyId id, std::uint64_t secret,
                                                    MacType type = MacType::kAes128Cmac,
                                                    std::vector<Prefix> allowed = {}) {
  return std::make_shared<SymmetricKey>(id, type, secret, std::move(allowed),
                                        std::make_unique<TestMac>(secret, digest_size(type)));
}

}  // namespace timepool::ntp
