#include "crypto/mac.h"

#include <nettle/aes.h>
#include <nettle/cmac.h>
#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "base/check.h"
#include "crypto/digest.h"

namespace timepool::crypto {
namespace {

const std::uint8_t* raw(Bytes bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}
std::uint8_t* raw(MutableBytes bytes) {
  return reinterpret_cast<std::uint8_t*>(bytes.data());
}

// equal_constant_time() by words: byte by byte takes half as long as the digest itself. The empty
// statement keeps the compiler from leaving the loop early.
bool same(Bytes a, Bytes b) {
  std::uint64_t different = 0;
  for (std::size_t at = 0; at < a.size(); at += sizeof different) {
    const std::size_t size = std::min(sizeof different, a.size() - at);
    std::uint64_t left = 0;
    std::uint64_t right = 0;
    std::memcpy(&left, a.data() + at, size);
    std::memcpy(&right, b.data() + at, size);
    different |= left ^ right;
    asm volatile("" : "+r"(different));
  }
  return different == 0;
}

// What both kinds have in common; `Code` computes.
template <class Code>
class NettleMac final : public Mac {
 public:
  explicit NettleMac(Bytes secret) : code_(secret) {}
  NettleMac(const NettleMac&) = delete;
  NettleMac& operator=(const NettleMac&) = delete;
  ~NettleMac() override { wipe(std::as_writable_bytes(std::span(&code_, 1))); }

  std::size_t size() const override { return Code::kSize; }
  void sign(Bytes message, MutableBytes digest) const override {
    CHECK(digest.size() <= Code::kSize);
    code_.compute(message, digest);
  }
  bool verify(Bytes message, Bytes digest) const override {
    if (digest.empty() || digest.size() > Code::kSize) return false;
    std::array<std::byte, Code::kSize> right;
    const MutableBytes part = MutableBytes(right).first(digest.size());
    code_.compute(message, part);
    return same(part, digest);
  }

 private:
  Code code_;
};

// The digest of the key followed by the message: the state after the key is copied for each.
template <class Context, auto kInit, auto kUpdate, auto kDigest, std::size_t kDigestSize>
struct KeyedDigest {
  static constexpr std::size_t kSize = kDigestSize;

  explicit KeyedDigest(Bytes secret) {
    kInit(&after_key);
    kUpdate(&after_key, secret.size(), raw(secret));
  }
  void compute(Bytes message, MutableBytes digest) const {
    Context context = after_key;
    kUpdate(&context, message.size(), raw(message));
    kDigest(&context, digest.size(), raw(digest));
  }

  Context after_key;
};

// RFC 4493, and the same with the longer key.
template <class Cipher, auto kSetKey, auto kEncrypt>
struct Cmac {
  static constexpr std::size_t kSize = CMAC128_DIGEST_SIZE;

  explicit Cmac(Bytes secret) {
    kSetKey(&cipher, raw(secret));
    ::nettle_cmac128_set_key(&key, &cipher, &encrypt);
  }
  void compute(Bytes message, MutableBytes digest) const {
    ::cmac128_ctx context;
    ::nettle_cmac128_init(&context);
    ::nettle_cmac128_update(&context, &cipher, &encrypt, message.size(), raw(message));
    ::nettle_cmac128_digest(&context, &key, &cipher, &encrypt, static_cast<unsigned>(digest.size()),
                            raw(digest));
  }
  static void encrypt(const void* cipher, std::size_t size, std::uint8_t* out,
                      const std::uint8_t* in) {
    kEncrypt(static_cast<const Cipher*>(cipher), size, out, in);
  }

  Cipher cipher;
  ::cmac128_key key;
};

using Md5 = KeyedDigest<::md5_ctx, ::nettle_md5_init, ::nettle_md5_update, ::nettle_md5_digest,
                        MD5_DIGEST_SIZE>;
using Sha1 = KeyedDigest<::sha1_ctx, ::nettle_sha1_init, ::nettle_sha1_update, ::nettle_sha1_digest,
                         SHA1_DIGEST_SIZE>;
using KeyedSha256 = KeyedDigest<::sha256_ctx, ::nettle_sha256_init, ::nettle_sha256_update,
                                ::nettle_sha256_digest, SHA256_DIGEST_SIZE>;
using KeyedSha384 = KeyedDigest<::sha512_ctx, ::nettle_sha384_init, ::nettle_sha512_update,
                                ::nettle_sha384_digest, SHA384_DIGEST_SIZE>;
using KeyedSha512 = KeyedDigest<::sha512_ctx, ::nettle_sha512_init, ::nettle_sha512_update,
                                ::nettle_sha512_digest, SHA512_DIGEST_SIZE>;
using Aes128Cmac = Cmac<::aes128_ctx, ::nettle_aes128_set_encrypt_key, ::nettle_aes128_encrypt>;
using Aes256Cmac = Cmac<::aes256_ctx, ::nettle_aes256_set_encrypt_key, ::nettle_aes256_encrypt>;

template <class Code>
std::unique_ptr<const Mac> make(Bytes secret) {
  return std::make_unique<NettleMac<Code>>(secret);
}

std::unique_ptr<const Mac> make_of(MacType type, Bytes secret) {
  switch (type) {
    case MacType::kMd5:
      return make<Md5>(secret);
    case MacType::kSha1:
      return make<Sha1>(secret);
    case MacType::kSha256:
      return make<KeyedSha256>(secret);
    case MacType::kSha384:
      return make<KeyedSha384>(secret);
    case MacType::kSha512:
      return make<KeyedSha512>(secret);
    case MacType::kAes128Cmac:
      return make<Aes128Cmac>(secret);
    case MacType::kAes256Cmac:
      break;
  }
  return make<Aes256Cmac>(secret);
}

}  // namespace

Result<std::unique_ptr<const Mac>> make_mac(MacType type, Bytes secret) {
  if (secret.empty() || (key_size(type) != 0 && secret.size() != key_size(type))) {
    return fail(Error{ErrorCode::kInvalid, std::string(name_of(type)) + " key",
                      std::to_string(secret.size()) + " octets"});
  }
  return make_of(type, secret);
}

}  // namespace timepool::crypto
