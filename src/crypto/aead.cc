#include "crypto/aead.h"

#include <gcrypt.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "crypto/digest.h"

namespace timepool::crypto {
namespace {

// Once in a process: everything that the library must know before its first use.
bool set_up() {
  if (::gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P) != 0) return true;
  if (::gcry_check_version(GCRYPT_VERSION) == nullptr) return false;
  // Keys lie in the handles, which are wiped when they are closed; a pool of locked pages would be
  // taken for handles only, and needs a limit that services don't have.
  ::gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
  ::gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
  return true;
}

// A failure of the library that its callers' CHECKs exclude.
void must(gcry_error_t error) {
  CHECK(error == 0);
}

gcry_cipher_hd_t open_cipher(int mode) {
  gcry_cipher_hd_t out = nullptr;
  must(::gcry_cipher_open(&out, GCRY_CIPHER_AES128, mode, 0));
  return out;
}

// An empty span may have no address, which the library takes for a fault of its caller.
const void* address_of(Bytes bytes) {
  return bytes.empty() ? static_cast<const void*>("") : bytes.data();
}

class GcryptAead : public Aead {
 public:
  GcryptAead(AeadId id, int mode) : id_(id), cipher_(open_cipher(mode)) {
    // With a process's first key the library tests its cipher, which allocates: not in a worker.
    const std::array<std::byte, kMaxAeadKey> zeros{};
    must(::gcry_cipher_setkey(cipher_, zeros.data(), key_size(id)));
  }
  GcryptAead(const GcryptAead&) = delete;
  GcryptAead& operator=(const GcryptAead&) = delete;
  ~GcryptAead() override { ::gcry_cipher_close(cipher_); }

  AeadId id() const override { return id_; }
  void set_key(Bytes key) override {
    CHECK(key.size() == key_size(id_));
    must(::gcry_cipher_setkey(cipher_, key.data(), key.size()));
  }
  void seal(Bytes nonce, Bytes associated, Bytes plain, MutableBytes sealed) override {
    CHECK(sealed.size() == plain.size() + kAeadOverhead);
    CHECK(is_nonce_size(id_, nonce.size()));
    begin(nonce, associated);
    const MutableBytes text = text_of(sealed);
    if (plain.data() != text.data()) std::copy(plain.begin(), plain.end(), text.begin());
    must(::gcry_cipher_encrypt(cipher_, text.data(), text.size(), nullptr, 0));
    must(::gcry_cipher_gettag(cipher_, tag_of(sealed).data(), kAeadOverhead));
  }
  bool open(Bytes nonce, Bytes associated, Bytes sealed, MutableBytes plain) override {
    CHECK(sealed.size() == plain.size() + kAeadOverhead);
    if (is_nonce_size(id_, nonce.size()) && decrypt(nonce, associated, sealed, plain)) return true;
    std::fill(plain.begin(), plain.end(), std::byte{0});
    return false;
  }

 private:
  // RFC 5297 2.6: the tag, which is the initial vector too, stands before the text; RFC 8452 4 has
  // it behind.
  bool tag_first() const { return id_ == AeadId::kAesSivCmac256; }
  template <class Span>
  Span tag_of(Span sealed) const {
    return tag_first() ? sealed.first(kAeadOverhead) : sealed.last(kAeadOverhead);
  }
  template <class Span>
  Span text_of(Span sealed) const {
    const std::size_t size = sealed.size() - kAeadOverhead;
    return tag_first() ? sealed.last(size) : sealed.first(size);
  }

  void begin(Bytes nonce, Bytes associated) {
    // Also after a new key: without it what is left of the key stream of the packet before, whose
    // text was no multiple of 16 octets, would be used first (libgcrypt 1.10.1).
    must(::gcry_cipher_reset(cipher_));
    // RFC 5297 3: the nonce is the last of the associated data.
    if (!tag_first()) must(::gcry_cipher_setiv(cipher_, nonce.data(), nonce.size()));
    must(::gcry_cipher_authenticate(cipher_, address_of(associated), associated.size()));
    if (tag_first()) must(::gcry_cipher_setiv(cipher_, nonce.data(), nonce.size()));
  }
  bool decrypt(Bytes nonce, Bytes associated, Bytes sealed, MutableBytes plain) {
    begin(nonce, associated);
    const Bytes tag = tag_of(sealed);
    const Bytes text = text_of(sealed);
    must(::gcry_cipher_ctl(cipher_, GCRYCTL_SET_DECRYPTION_TAG, const_cast<std::byte*>(tag.data()),
                           tag.size()));
    // Compares in constant time, and says kChecksum when they differ.
    return ::gcry_cipher_decrypt(cipher_, plain.data(), plain.size(), text.data(), text.size()) ==
           0;
  }

  AeadId id_;
  gcry_cipher_hd_t cipher_;
};

}  // namespace

GcryptAeads::GcryptAeads() {
  static const bool ready = set_up();
  CHECK(ready);
}

std::unique_ptr<Aead> GcryptAeads::make(AeadId id) const {
  const bool siv = id == AeadId::kAesSivCmac256;
  return std::make_unique<GcryptAead>(id, siv ? GCRY_CIPHER_MODE_SIV : GCRY_CIPHER_MODE_GCM_SIV);
}

}  // namespace timepool::crypto
