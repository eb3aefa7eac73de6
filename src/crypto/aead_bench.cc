// What NTS's encryption costs, in nanoseconds: one JSON object on standard output. "siv" and
// "gcm_siv" are src/crypto/aead.h, "nettle_siv" is nettle's for comparison. "seal_fixed" is 64
// octets under a key that stays, as a cookie; "open_new" the proof of a request under a new key;
// "seal_new" a reply with one cookie under a new key; "transaction" all that one request takes: a
// cookie opened, the request proved, a cookie made, the reply sealed.
#include <nettle/siv-cmac.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/check.h"
#include "crypto/aead.h"

namespace timepool::crypto {
namespace {

constexpr int kRounds = 9;
constexpr int kInRound = 10'000;
// Of a request with one cookie of 100 octets, and of its reply.
constexpr std::size_t kRequestHead = 188;
constexpr std::size_t kReplyHead = 84;
constexpr std::size_t kReplyPlain = 104;

double seconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <class Do>
double measure(const Do& what) {
  std::array<double, kRounds> rounds;
  for (double& round : rounds) {
    const double start = seconds_now();
    for (int i = 0; i < kInRound; ++i) what();
    round = (seconds_now() - start) * 1e9 / kInRound;
  }
  std::sort(rounds.begin(), rounds.end());
  return rounds[kRounds / 2];
}

void print(const char* algorithm, const char* name, double value) {
  static bool first = true;
  std::printf("%s\"%s_%s\": %.0f", first ? "{" : ",\n ", algorithm, name, value);
  first = false;
}

// Nettle's SIV in the same dress.
class NettleSiv final : public Aead {
 public:
  AeadId id() const override { return AeadId::kAesSivCmac256; }
  void set_key(Bytes key) override { ::nettle_siv_cmac_aes128_set_key(&context_, raw(key)); }
  void seal(Bytes nonce, Bytes associated, Bytes plain, MutableBytes sealed) override {
    ::nettle_siv_cmac_aes128_encrypt_message(&context_, nonce.size(), raw(nonce), associated.size(),
                                             raw(associated), sealed.size(), raw(sealed),
                                             raw(plain));
  }
  bool open(Bytes nonce, Bytes associated, Bytes sealed, MutableBytes plain) override {
    return ::nettle_siv_cmac_aes128_decrypt_message(&context_, nonce.size(), raw(nonce),
                                                    associated.size(), raw(associated),
                                                    plain.size(), raw(plain), raw(sealed)) == 1;
  }

 private:
  static const std::uint8_t* raw(Bytes bytes) {
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
  }
  static std::uint8_t* raw(MutableBytes bytes) {
    return reinterpret_cast<std::uint8_t*>(bytes.data());
  }
  ::siv_cmac_aes128_ctx context_{};
};

class Bench {
 public:
  Bench(const char* name, Aead& cookies, Aead& packets)
      : name_(name), cookies_(cookies), packets_(packets) {
    for (std::size_t i = 0; i < key_.size(); ++i) key_[i] = static_cast<std::byte>(i * 7 + 1);
    cookies_.set_key(key());
    packets_.set_key(key());
    cookies_.seal(nonce(), {}, keys_, cookie_);
    packets_.seal(nonce(), head(kRequestHead), {}, proof_);
  }

  void run() {
    print(name_, "seal_fixed", measure([this] { make_cookie(); }));
    print(name_, "set_key", measure([this] { packets_.set_key(key()); }));
    print(name_, "open_new", measure([this] { prove_request(); }));
    print(name_, "seal_new", measure([this] { seal_reply(); }));
    print(name_, "transaction", measure([this] {
            CHECK(cookies_.open(nonce(), {}, cookie_, keys_));
            prove_request();
            make_cookie();
            seal_reply();
          }));
  }

 private:
  Bytes key() const { return Bytes(key_).first(key_size(packets_.id())); }
  Bytes nonce() const { return Bytes(key_).first(nonce_size(packets_.id())); }
  Bytes head(std::size_t size) const { return Bytes(packet_).first(size); }
  void make_cookie() { cookies_.seal(nonce(), {}, keys_, cookie_); }
  void prove_request() {
    packets_.set_key(key());
    CHECK(packets_.open(nonce(), head(kRequestHead), proof_, {}));
  }
  void seal_reply() {
    packets_.set_key(key());
    packets_.seal(nonce(), head(kReplyHead), MutableBytes(packet_).last(kReplyPlain), reply_);
  }

  const char* name_;
  Aead& cookies_;
  Aead& packets_;
  std::array<std::byte, kMaxAeadKey> key_{};
  std::array<std::byte, 512> packet_{};
  std::array<std::byte, 64> keys_{};
  std::array<std::byte, 64 + kAeadOverhead> cookie_{};
  std::array<std::byte, kAeadOverhead> proof_{};
  std::array<std::byte, kReplyPlain + kAeadOverhead> reply_{};
};

void run() {
  const GcryptAeads maker;
  for (const AeadId id : {AeadId::kAesSivCmac256, AeadId::kAes128GcmSiv}) {
    const auto cookies = maker.make(id);
    const auto packets = maker.make(id);
    Bench(id == AeadId::kAesSivCmac256 ? "siv" : "gcm_siv", *cookies, *packets).run();
  }
  NettleSiv cookies;
  NettleSiv packets;
  Bench("nettle_siv", cookies, packets).run();
  std::printf("}\n");
}

}  // namespace
}  // namespace timepool::crypto

int main() {
  timepool::crypto::run();
  return 0;
}
