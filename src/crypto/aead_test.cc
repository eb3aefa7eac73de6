#include "crypto/aead.h"

#include <gtest/gtest.h>
#include <nettle/aes.h>
#include <nettle/cmac.h>
#include <nettle/siv-cmac.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "base/hex.h"
#include "base/prng.h"
#include "crypto/aead_vectors.h"

namespace timepool::crypto {
namespace {

using Octets = std::vector<std::byte>;
using Block = std::array<std::byte, 16>;
constexpr std::uint64_t kSeed = 20'261'121;
constexpr AeadId kBoth[] = {AeadId::kAesSivCmac256, AeadId::kAes128GcmSiv};

const std::uint8_t* raw(Bytes bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}
std::uint8_t* target(MutableBytes bytes) {
  return reinterpret_cast<std::uint8_t*>(bytes.data());
}

Octets of_hex(std::string_view text) {
  return from_hex(text).value();
}

Octets random_octets(Prng& prng, std::size_t size) {
  Octets out(size);
  for (std::byte& it : out) it = static_cast<std::byte>(prng.next());
  return out;
}

Octets seal(Aead& aead, Bytes nonce, Bytes associated, Bytes plain) {
  Octets out(plain.size() + kAeadOverhead);
  aead.seal(nonce, associated, plain, out);
  return out;
}

// Slow and plain, after RFC 5297 2: any number of components.
class SlowSiv {
 public:
  explicit SlowSiv(Bytes key) {
    ::nettle_cmac_aes128_set_key(&cmac_, raw(key.first(16)));
    ::nettle_aes128_set_encrypt_key(&cipher_, raw(key.subspan(16, 16)));
  }
  Octets seal(const std::vector<Octets>& components, Bytes plain) {
    const Block iv = s2v(components, plain);
    Octets out(iv.begin(), iv.end());
    Block counter = iv;
    counter[8] &= std::byte{0x7f};
    counter[12] &= std::byte{0x7f};
    for (std::size_t i = 0; i < plain.size(); ++i) {
      Block stream;
      ::nettle_aes128_encrypt(&cipher_, 16, target(stream), raw(counter));
      out.push_back(plain[i] ^ stream[i % 16]);
      if (i % 16 != 15) continue;
      for (std::size_t at = 16; at-- > 0;) {
        counter[at] = static_cast<std::byte>(std::to_integer<unsigned>(counter[at]) + 1);
        if (counter[at] != std::byte{0}) break;
      }
    }
    return out;
  }

 private:
  Block cmac(Bytes message) {
    Block out;
    ::nettle_cmac_aes128_update(&cmac_, message.size(), raw(message));
    ::nettle_cmac_aes128_digest(&cmac_, 16, target(out));
    return out;
  }
  static Block dbl(const Block& in) {
    Block out;
    for (std::size_t i = 0; i < 16; ++i) {
      out[i] = in[i] << 1 | (i < 15 ? in[i + 1] >> 7 : std::byte{0});
    }
    if ((in[0] & std::byte{0x80}) != std::byte{0}) out[15] ^= std::byte{0x87};
    return out;
  }
  Block s2v(const std::vector<Octets>& components, Bytes plain) {
    Block sum = cmac(Block{});
    for (const Octets& it : components) {
      const Block part = cmac(it);
      sum = dbl(sum);
      for (std::size_t i = 0; i < 16; ++i) sum[i] ^= part[i];
    }
    Octets last(plain.begin(), plain.end());
    if (last.size() < 16) {
      sum = dbl(sum);
      last.push_back(std::byte{0x80});
      last.resize(16);
    }
    for (std::size_t i = 0; i < 16; ++i) last[last.size() - 16 + i] ^= sum[i];
    return cmac(last);
  }

  ::cmac_aes128_ctx cmac_{};
  ::aes128_ctx cipher_{};
};

__extension__ using Wide = unsigned __int128;

// Slow and plain, after RFC 8452 3 and 4.
class SlowGcmSiv {
 public:
  SlowGcmSiv(Bytes key, Bytes nonce) : nonce_(nonce.begin(), nonce.end()) {
    ::nettle_aes128_set_encrypt_key(&cipher_, raw(key));
    Octets derived;
    for (unsigned i = 0; i < 4; ++i) {
      Block in{};
      in[0] = static_cast<std::byte>(i);
      std::copy(nonce.begin(), nonce.end(), in.begin() + 4);
      const Block out = encrypt(in);
      derived.insert(derived.end(), out.begin(), out.begin() + 8);
    }
    std::memcpy(&authentication_, derived.data(), 16);
    ::nettle_aes128_set_encrypt_key(&cipher_, raw(Bytes(derived).last(16)));
  }
  Octets seal(Bytes associated, Bytes plain) {
    Octets input = padded(associated);
    const Octets text = padded(plain);
    input.insert(input.end(), text.begin(), text.end());
    for (const std::size_t size : {associated.size(), plain.size()}) {
      for (unsigned i = 0; i < 8; ++i) input.push_back(static_cast<std::byte>(size * 8 >> 8 * i));
    }
    Block sum = polyval(input);
    for (std::size_t i = 0; i < nonce_.size(); ++i) sum[i] ^= nonce_[i];
    sum[15] &= std::byte{0x7f};
    const Block tag = encrypt(sum);
    Octets out = counted(plain, tag);
    out.insert(out.end(), tag.begin(), tag.end());
    return out;
  }

 private:
  Block encrypt(const Block& in) const {
    Block out;
    ::nettle_aes128_encrypt(&cipher_, 16, target(out), raw(in));
    return out;
  }
  static Octets padded(Bytes bytes) {
    Octets out(bytes.begin(), bytes.end());
    out.resize((bytes.size() + 15) / 16 * 16);
    return out;
  }
  // a * b / x^128 in the field of x^128 + x^127 + x^126 + x^121 + 1.
  static Wide dot(Wide a, Wide b) {
    const Wide high = Wide{1} << 127 | Wide{1} << 126 | Wide{1} << 125 | Wide{1} << 120;
    Wide out = 0;
    for (int i = 0; i < 128; ++i) {
      if ((b >> i & 1) != 0) out ^= a;
      out = (out & 1) != 0 ? (out >> 1 ^ high) : out >> 1;
    }
    return out;
  }
  Block polyval(const Octets& input) const {
    Wide sum = 0;
    for (std::size_t at = 0; at < input.size(); at += 16) {
      Wide block = 0;
      std::memcpy(&block, input.data() + at, 16);
      sum = dot(sum ^ block, authentication_);
    }
    Block out;
    std::memcpy(out.data(), &sum, 16);
    return out;
  }
  Octets counted(Bytes plain, Block counter) const {
    Octets out;
    counter[15] |= std::byte{0x80};
    for (std::size_t i = 0; i < plain.size(); ++i) {
      out.push_back(plain[i] ^ encrypt(counter)[i % 16]);
      if (i % 16 != 15) continue;
      std::uint32_t low = 0;
      std::memcpy(&low, counter.data(), 4);
      ++low;
      std::memcpy(counter.data(), &low, 4);
    }
    return out;
  }

  ::aes128_ctx cipher_{};
  Octets nonce_;
  Wide authentication_ = 0;
};

TEST(SlowSiv, has_the_vectors_of_rfc5297) {
  // A.1
  SlowSiv first(of_hex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"));
  EXPECT_EQ(first.seal({of_hex("101112131415161718191a1b1c1d1e1f2021222324252627")},
                       of_hex("112233445566778899aabbccddee")),
            of_hex("85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c"));
  // A.2
  SlowSiv second(of_hex("7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f"));
  EXPECT_EQ(
      second.seal({of_hex("00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa9988"
                          "7766554433221100"),
                   of_hex("102030405060708090a0"), of_hex("09f911029d74e35bd84156c5635688c0")},
                  of_hex("7468697320697320736f6d6520706c61696e7465787420746f20656e63727970"
                         "74207573696e67205349562d414553")),
      of_hex("7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17dba77ceb094fa6"
             "63b7a3f748ba8af829ea64ad544a272e9c485b62a3fd5c0d"));
}

TEST(Aead, has_all_vectors_of_rfc8452_for_128_bits) {
  const auto aead = GcryptAeads().make(AeadId::kAes128GcmSiv);
  for (const AeadVector& it : kGcmSivVectors) {
    const Octets plain = of_hex(it.plain);
    const Octets sealed = of_hex(it.sealed);
    aead->set_key(of_hex(it.key));
    EXPECT_EQ(seal(*aead, of_hex(it.nonce), of_hex(it.associated), plain), sealed);
    Octets opened(plain.size());
    EXPECT_TRUE(aead->open(of_hex(it.nonce), of_hex(it.associated), sealed, opened));
    EXPECT_EQ(opened, plain);
    EXPECT_EQ(SlowGcmSiv(of_hex(it.key), of_hex(it.nonce)).seal(of_hex(it.associated), plain),
              sealed);
  }
}

TEST(Aead, agrees_with_slow_ones_and_with_nettle_on_every_length) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  Prng prng(kSeed);
  const auto siv = GcryptAeads().make(AeadId::kAesSivCmac256);
  const auto gcm = GcryptAeads().make(AeadId::kAes128GcmSiv);
  for (std::size_t round = 0; round < 600; ++round) {
    const Octets key = random_octets(prng, 32);
    const Octets associated = random_octets(prng, prng.below(round % 3 == 0 ? 3 : 300));
    const Octets plain = random_octets(prng, round % 5 == 0 ? 0 : prng.below(round));
    const Octets nonce = random_octets(prng, 1 + prng.below(40));
    siv->set_key(key);
    const Octets sealed = seal(*siv, nonce, associated, plain);
    EXPECT_EQ(sealed, SlowSiv(key).seal({associated, nonce}, plain));
    ::siv_cmac_aes128_ctx context;
    ::nettle_siv_cmac_aes128_set_key(&context, raw(key));
    Octets of_nettle(sealed.size());
    ::nettle_siv_cmac_aes128_encrypt_message(&context, nonce.size(), raw(nonce), associated.size(),
                                             raw(associated), of_nettle.size(), target(of_nettle),
                                             raw(plain));
    EXPECT_EQ(sealed, of_nettle);
    Octets opened(plain.size(), std::byte{1});
    EXPECT_TRUE(siv->open(nonce, associated, of_nettle, opened));
    EXPECT_EQ(opened, plain);
    const Octets short_key(key.begin(), key.begin() + 16);
    const Octets short_nonce = random_octets(prng, 12);
    gcm->set_key(short_key);
    EXPECT_EQ(seal(*gcm, short_nonce, associated, plain),
              SlowGcmSiv(short_key, short_nonce).seal(associated, plain));
  }
}

TEST(Aead, any_bit_turned_over_is_found_and_leaves_zeros) {
  Prng prng(kSeed);
  for (const AeadId id : kBoth) {
    const auto aead = GcryptAeads().make(id);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{64}}) {
      const Octets nonce = random_octets(prng, nonce_size(id));
      const Octets associated = random_octets(prng, 20);
      const Octets plain = random_octets(prng, size);
      aead->set_key(random_octets(prng, key_size(id)));
      const Octets sealed = seal(*aead, nonce, associated, plain);
      const auto opens = [&](Bytes by, Bytes with, Bytes text) {
        Octets opened(size, std::byte{0x55});
        const bool out = aead->open(by, with, text, opened);
        EXPECT_TRUE(out || opened == Octets(size)) << "what does not open is not shown";
        return out;
      };
      for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        Octets wrong = sealed;
        wrong[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
        EXPECT_FALSE(opens(nonce, associated, wrong)) << name_of(id) << " bit " << bit;
      }
      for (std::size_t i = 0; i < nonce.size(); ++i) {
        Octets wrong = nonce;
        wrong[i] ^= std::byte{1};
        EXPECT_FALSE(opens(wrong, associated, sealed));
      }
      for (std::size_t i = 0; i < associated.size(); ++i) {
        Octets wrong = associated;
        wrong[i] ^= std::byte{0x80};
        EXPECT_FALSE(opens(nonce, wrong, sealed));
      }
      EXPECT_FALSE(opens(nonce, Bytes(associated).first(19), sealed));
      EXPECT_FALSE(opens(nonce, {}, sealed));
      EXPECT_FALSE(opens(Bytes(nonce).first(nonce.size() - 1), associated, sealed));
      EXPECT_FALSE(opens({}, associated, sealed));
      EXPECT_TRUE(opens(nonce, associated, sealed));
      aead->set_key(random_octets(prng, key_size(id)));
      EXPECT_FALSE(opens(nonce, associated, sealed));
    }
  }
}

TEST(Aead, one_key_serves_any_number_of_packets_either_way) {
  Prng prng(kSeed);
  for (const AeadId id : kBoth) {
    const auto aead = GcryptAeads().make(id);
    const auto other = GcryptAeads().make(id);
    const Octets key = random_octets(prng, key_size(id));
    aead->set_key(key);
    for (int i = 0; i < 50; ++i) {
      const Octets nonce = random_octets(prng, nonce_size(id));
      const Octets plain = random_octets(prng, prng.below(100));
      other->set_key(key);
      const Octets sealed = seal(*aead, nonce, {}, plain);
      EXPECT_EQ(sealed, seal(*other, nonce, {}, plain));
      Octets opened(plain.size());
      Octets forged = sealed;
      forged.back() ^= std::byte{1};
      EXPECT_FALSE(aead->open(nonce, {}, forged, opened));
      EXPECT_TRUE(aead->open(nonce, {}, sealed, opened));
      EXPECT_EQ(opened, plain);
    }
  }
}

TEST(Aead, a_new_key_leaves_nothing_of_the_key_stream_before) {
  const GcryptAeads maker;
  for (const AeadId id : kBoth) {
    const auto aead = maker.make(id);
    const Octets plain(24, std::byte{7});
    const Octets nonce(nonce_size(id), std::byte{1});
    for (unsigned i = 0; i < 4; ++i) {
      const Octets key(key_size(id), static_cast<std::byte>(i));
      const auto fresh = maker.make(id);
      aead->set_key(key);
      fresh->set_key(key);
      EXPECT_EQ(seal(*aead, nonce, {}, plain), seal(*fresh, nonce, {}, plain)) << name_of(id);
    }
  }
}

TEST(Aead, a_text_sealed_or_opened_in_its_own_place_is_the_same) {
  Prng prng(kSeed);
  for (const AeadId id : kBoth) {
    const auto aead = GcryptAeads().make(id);
    aead->set_key(random_octets(prng, key_size(id)));
    const Octets nonce = random_octets(prng, nonce_size(id));
    const Octets plain = random_octets(prng, 104);
    const Octets sealed = seal(*aead, nonce, plain, plain);
    const std::size_t at = id == AeadId::kAesSivCmac256 ? kAeadOverhead : 0;
    Octets buffer(sealed.size());
    const auto text = buffer.begin() + static_cast<std::ptrdiff_t>(at);
    std::copy(plain.begin(), plain.end(), text);
    aead->seal(nonce, plain, Bytes(buffer).subspan(at, plain.size()), buffer);
    EXPECT_EQ(buffer, sealed);
    EXPECT_TRUE(aead->open(nonce, plain, sealed, MutableBytes(buffer).subspan(at, plain.size())));
    EXPECT_TRUE(std::equal(plain.begin(), plain.end(), text));
  }
}

}  // namespace
}  // namespace timepool::crypto
