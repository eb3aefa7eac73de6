// For the tests and the simulator only: an Aead that proves and hides by SipHash, fast and without
// a library. It keeps what the interface promises (another key, nonce, associated data or text does
// not open), and nothing that a cipher must.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "base/aead.h"
#include "base/check.h"
#include "base/siphash.h"

namespace timepool::nts::fake {

class TestAead final : public Aead {
 public:
  explicit TestAead(AeadId id) : id_(id) {}
  AeadId id() const override { return id_; }
  void set_key(Bytes key) override {
    CHECK(key.size() == key_size(id_));
    key_ = {siphash24({1, 2}, key), siphash24({3, 4}, key)};
  }
  void seal(Bytes nonce, Bytes associated, Bytes plain, MutableBytes sealed) override {
    CHECK(is_nonce_size(id_, nonce.size()) && sealed.size() == plain.size() + kAeadOverhead);
    const std::array<std::uint64_t, 2> tag = tag_of(nonce, associated, plain);
    for (std::size_t i = plain.size(); i-- > 0;) sealed[i + kAeadOverhead] = plain[i];
    hide(nonce, sealed.subspan(kAeadOverhead));
    put(tag, sealed);
  }
  bool open(Bytes nonce, Bytes associated, Bytes sealed, MutableBytes plain) override {
    CHECK(sealed.size() == plain.size() + kAeadOverhead);
    if (!is_nonce_size(id_, nonce.size())) return false;
    const Bytes text = sealed.subspan(kAeadOverhead);
    std::copy(text.begin(), text.end(), plain.begin());
    hide(nonce, plain);
    std::array<std::byte, kAeadOverhead> tag{};
    put(tag_of(nonce, associated, plain), tag);
    if (std::equal(tag.begin(), tag.end(), sealed.begin())) return true;
    std::fill(plain.begin(), plain.end(), std::byte{0});
    return false;
  }

 private:
  std::array<std::uint64_t, 2> tag_of(Bytes nonce, Bytes associated, Bytes plain) const {
    const std::uint64_t n = siphash24(key_, nonce);
    const std::uint64_t a = siphash24({key_[0] ^ n, associated.size()}, associated);
    const std::uint64_t p = siphash24({key_[1] ^ n, plain.size()}, plain);
    return {siphash13(key_, a, p), siphash13({n, key_[1]}, p, a)};
  }
  static void put(const std::array<std::uint64_t, 2>& tag, MutableBytes out) {
    for (std::size_t i = 0; i < kAeadOverhead; ++i) {
      out[i] = static_cast<std::byte>(tag[i / 8] >> (i % 8 * 8) & 0xff);
    }
  }
  void hide(Bytes nonce, MutableBytes text) const {
    const std::uint64_t n = siphash24(key_, nonce);
    for (std::size_t i = 0; i < text.size(); ++i) {
      text[i] ^= static_cast<std::byte>(siphash13(key_, n, i) & 0xff);
    }
  }

  AeadId id_;
  SiphashKey key_{};
};

class TestAeadMaker final : public AeadMaker {
 public:
  std::unique_ptr<Aead> make(AeadId id) const override { return std::make_unique<TestAead>(id); }
};

}  // namespace timepool::nts::fake
