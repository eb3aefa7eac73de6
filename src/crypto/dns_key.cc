#include "crypto/dns_key.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "crypto/digest.h"
#include "crypto/ed25519.h"
#include "sys/secret_file.h"

namespace timepool::crypto {
namespace {

using dnssec::Algorithm;
constexpr std::size_t kCoordinate = 32;
// What precedes x and y where a point is written whole (SEC 1 2.3.3).
constexpr std::byte kUncompressed{0x04};
// Contexts of one key that are kept for the next signature: more threads make their own.
constexpr std::size_t kMaxContexts = 64;

template <class T, void (*kFree)(T*)>
struct Free {
  void operator()(T* it) const { kFree(it); }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG, ECDSA_SIG_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO, BIO_free_all>>;

const unsigned char* raw(const std::byte* in) {
  return reinterpret_cast<const unsigned char*>(in);
}
unsigned char* raw(std::byte* in) {
  return reinterpret_cast<unsigned char*>(in);
}

// The library's own words, and its queue is empty again.
Error library_error(const std::string& operation) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* why = code == 0 ? nullptr : ERR_reason_error_string(code);
  return Error{ErrorCode::kSystem, operation, why == nullptr ? "OpenSSL failed" : why};
}

Error corrupt(const std::string& why) {
  ERR_clear_error();
  return Error{ErrorCode::kCorrupt, "DNSSEC key", why};
}

// A file with a password is refused, not asked for at a terminal.
int no_password(char* /*out*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

KeyContext signing_context(EVP_PKEY* key) {
  KeyContext out(EVP_PKEY_CTX_new(key, nullptr));
  if (!out || EVP_PKEY_sign_init(out.get()) != 1) return nullptr;
  return out;
}

// RFC 6605 4: r and s, each in 32 octets, of what the library writes as ASN.1.
bool fixed_width(const unsigned char* der, std::size_t size, unsigned char* out) {
  const EcSignature signature(d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(size)));
  if (!signature) return false;
  constexpr int kWidth = static_cast<int>(kCoordinate);
  return BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, kWidth) == kWidth &&
         BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + kCoordinate, kWidth) == kWidth;
}

std::optional<std::vector<std::byte>> p256_public(EVP_PKEY* key) {
  std::array<std::byte, 1 + 2 * kCoordinate> point{};
  std::size_t size = 0;
  char group[32] = {};
  if (EVP_PKEY_get_group_name(key, group, sizeof(group), nullptr) != 1 ||
      std::string_view(group) != "prime256v1" ||
      EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, raw(point.data()), point.size(),
                                      &size) != 1 ||
      size != point.size() || point[0] != kUncompressed) {
    return std::nullopt;
  }
  return std::vector<std::byte>(point.begin() + 1, point.end());
}

Key p256_from_public(Bytes public_key) {
  if (public_key.size() != 2 * kCoordinate) return nullptr;
  std::array<std::byte, 1 + 2 * kCoordinate> point{kUncompressed};
  std::copy(public_key.begin(), public_key.end(), point.begin() + 1);
  char group[] = "prime256v1";
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* out = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &out, EVP_PKEY_PUBLIC_KEY, params) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return Key(out);
}

// Whether the public half is that of the private one: the library takes both as they stand in a
// file, and what a damaged one signs nobody believes. True for other kinds, which have no halves.
bool is_one_key(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "EC") != 1) return true;
  const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  const bool one = context && EVP_PKEY_pairwise_check(context.get()) == 1;
  ERR_clear_error();
  return one;
}

bool verify_p256(Bytes public_key, Bytes data, Bytes signature) {
  const Key key = p256_from_public(public_key);
  const EcSignature parts(ECDSA_SIG_new());
  if (!key || !parts) return false;
  BIGNUM* r = BN_bin2bn(raw(signature.data()), kCoordinate, nullptr);
  BIGNUM* s = BN_bin2bn(raw(signature.data() + kCoordinate), kCoordinate, nullptr);
  if (ECDSA_SIG_set0(parts.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return false;
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parts.get(), &der);
  if (size <= 0) return false;
  const Sha256 digest = sha256(data);
  const KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
  const bool right = context && EVP_PKEY_verify_init(context.get()) == 1 &&
                     EVP_PKEY_verify(context.get(), der, static_cast<std::size_t>(size),
                                     raw(digest.data()), digest.size()) == 1;
  OPENSSL_free(der);
  ERR_clear_error();
  return right;
}

}  // namespace

struct DnsKey::Private {
  Key key;
  std::optional<SigningKey> ed25519;
  // Making a context costs as much as a tenth of a signature, so that they are used again. The lock
  // is held for a push or a pop only.
  mutable std::mutex mutex;
  mutable std::vector<KeyContext> contexts;

  KeyContext take() const {
    {
      const std::lock_guard lock(mutex);
      if (!contexts.empty()) {
        KeyContext out = std::move(contexts.back());
        contexts.pop_back();
        return out;
      }
    }
    return signing_context(key.get());
  }
  void give_back(KeyContext context) const {
    const std::lock_guard lock(mutex);
    if (contexts.size() < kMaxContexts) contexts.push_back(std::move(context));
  }
};

DnsKey::DnsKey(Algorithm algorithm, std::vector<std::byte> public_key,
               std::unique_ptr<Private> secret)
    : algorithm_(algorithm), public_key_(std::move(public_key)), private_(std::move(secret)) {}

DnsKey::~DnsKey() = default;

Result<std::shared_ptr<const DnsKey>> DnsKey::wrap(std::unique_ptr<Private> secret) {
  EVP_PKEY* key = secret->key.get();
  if (EVP_PKEY_is_a(key, "EC") == 1) {
    auto public_key = p256_public(key);
    if (!public_key) return fail(corrupt("its curve is not P-256"));
    return std::shared_ptr<const DnsKey>(
        new DnsKey(Algorithm::kEcdsaP256Sha256, std::move(*public_key), std::move(secret)));
  }
  SigningKey::Seed seed{};
  std::size_t size = seed.size();
  if (EVP_PKEY_is_a(key, "ED25519") != 1 ||
      EVP_PKEY_get_raw_private_key(key, raw(seed.data()), &size) != 1 || size != seed.size()) {
    return fail(corrupt("neither P-256 nor Ed25519"));
  }
  secret->ed25519 = SigningKey::from_seed(seed);
  wipe(seed);
  const PublicKey& half = secret->ed25519->public_key();
  std::vector<std::byte> public_key(half.bytes.begin(), half.bytes.end());
  return std::shared_ptr<const DnsKey>(
      new DnsKey(Algorithm::kEd25519, std::move(public_key), std::move(secret)));
}

Result<std::shared_ptr<const DnsKey>> DnsKey::generate(Algorithm algorithm) {
  auto secret = std::make_unique<Private>();
  secret->key.reset(algorithm == Algorithm::kEd25519
                        ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                        : EVP_EC_gen("P-256"));
  if (!secret->key) return fail(library_error("make a DNSSEC key"));
  return wrap(std::move(secret));
}

Result<std::shared_ptr<const DnsKey>> DnsKey::parse(std::string_view pem) {
  if (pem.size() > kMaxDnsKeyText) return fail(corrupt("too long for a key"));
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  bool asked = false;
  auto secret = std::make_unique<Private>();
  if (bio) secret->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, &asked));
  if (secret->key) {
    if (!is_one_key(secret->key.get())) return fail(corrupt("its halves are not of one key"));
    return wrap(std::move(secret));
  }
  if (asked) return fail(corrupt("it has a password, which a service can't be asked for"));
  const bool begun = pem.find("-----BEGIN ") != std::string_view::npos;
  const bool ended = pem.find("-----END ") != std::string_view::npos;
  if (!begun) return fail(corrupt("no private key in PEM"));
  return fail(corrupt(ended ? "its private key in PEM is damaged" : "its PEM is cut off"));
}

Result<std::shared_ptr<const DnsKey>> DnsKey::load(const std::string& path) {
  std::string text = TRY(sys::read_secret_file(path, kMaxDnsKeyText));
  auto out = parse(text);
  wipe(std::as_writable_bytes(std::span(text.data(), text.size())));
  if (!out.ok()) out.error().operation = "key file " + path;
  return out;
}

Result<std::string> DnsKey::pem() const {
  const Bio bio(BIO_new(BIO_s_secmem()));
  char* data = nullptr;
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), private_->key.get(), nullptr, nullptr, 0,
                                            nullptr, nullptr) != 1) {
    return fail(library_error("write a DNSSEC key"));
  }
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Result<void> DnsKey::save(const std::string& path) const {
  std::string text = TRY(pem());
  auto written = sys::create_secret_file(path, text);
  wipe(std::as_writable_bytes(std::span(text.data(), text.size())));
  return written;
}

bool DnsKey::sign(Bytes data, std::span<std::byte, dnssec::kSignatureSize> out) const {
  if (private_->ed25519) {
    const Signature signature = private_->ed25519->sign(data);
    std::copy(signature.begin(), signature.end(), out.begin());
    return true;
  }
  const Sha256 digest = sha256(data);
  KeyContext context = private_->take();
  // The longest of P-256 in ASN.1: two integers of 33 octets and their heads.
  std::array<unsigned char, 72> der{};
  std::size_t size = der.size();
  const bool made = context && EVP_PKEY_sign(context.get(), der.data(), &size, raw(digest.data()),
                                             digest.size()) == 1;
  if (!made) {
    ERR_clear_error();
    return false;
  }
  private_->give_back(std::move(context));
  return fixed_width(der.data(), size, raw(out.data()));
}

bool verify_dns_signature(Algorithm algorithm, Bytes public_key, Bytes data,
                          std::span<const std::byte, dnssec::kSignatureSize> signature) {
  if (algorithm == Algorithm::kEcdsaP256Sha256) return verify_p256(public_key, data, signature);
  PublicKey key;
  Signature copy{};
  if (public_key.size() != key.bytes.size()) return false;
  std::copy(public_key.begin(), public_key.end(), key.bytes.begin());
  std::copy(signature.begin(), signature.end(), copy.begin());
  return verify(key, data, copy);
}

}  // namespace timepool::crypto
