#include "snapshot/seal.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <string>
#include <vector>

#include "base/prng.h"
#include "wire/snapshot/file.h"

namespace timepool::snapshot {
namespace {

crypto::SigningKey key_of(unsigned char fill) {
  crypto::SigningKey::Seed seed;
  seed.fill(std::byte{fill});
  return crypto::SigningKey::from_seed(seed);
}

const UnixTime kCreated = UnixTime::from_seconds(1'795'262'400);

// A payload such as the manager's.
std::string payload_of(std::size_t servers) {
  std::string out = R"({"format":1,"serial":7,"zones":{"pool.test":{"data":{"":{"a":[)";
  Prng prng(5);
  for (std::size_t i = 0; i < servers; ++i) {
    out += "[\"192.0.2." + std::to_string(prng.below(256)) + "\"," +
           std::to_string(prng.below(100'000)) + "],";
  }
  return out + "[]]}}}}}";
}

// A file with header and content chosen, signed by a known key: what only a key's owner can make.
std::string signed_file(wire::snapshot::Header header, std::string_view compressed,
                        const crypto::SigningKey& key) {
  const Bytes content = std::as_bytes(std::span(compressed.data(), compressed.size()));
  header.compressed_size = static_cast<std::uint32_t>(compressed.size());
  std::vector<std::byte> message(32 + content.size());
  ByteWriter signed_part(message);
  wire::snapshot::write_signed_part(header, signed_part);
  signed_part.bytes(content);
  header.signature = key.sign(message);
  std::string file(wire::snapshot::kHeaderSize + content.size(), '\0');
  ByteWriter writer(std::as_writable_bytes(std::span(file.data(), file.size())));
  wire::snapshot::write_file(header, content, writer);
  return file;
}

std::string compressed(std::string_view text) {
  std::string out(::ZSTD_compressBound(text.size()), '\0');
  out.resize(::ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

TEST(Seal, opens_what_it_sealed) {
  const crypto::SigningKey key = key_of(1);
  const std::string payload = payload_of(2000);
  const auto file = seal(payload, 42, kCreated, key);
  ASSERT_TRUE(file.ok()) << file.error().text();
  EXPECT_LT(file->size(), payload.size() / 2);
  const auto snapshot = open(*file, std::vector{key.public_key()});
  ASSERT_TRUE(snapshot.ok()) << snapshot.error().text();
  EXPECT_EQ(snapshot->serial, 42u);
  EXPECT_EQ(snapshot->created, kCreated);
  EXPECT_EQ(snapshot->payload, payload);
}

TEST(Seal, accepts_any_of_the_known_keys_and_no_other) {
  const crypto::SigningKey before = key_of(1), after = key_of(2), stranger = key_of(3);
  const std::vector keys{before.public_key(), after.public_key()};
  EXPECT_TRUE(open(*seal("{}", 1, kCreated, before), keys).ok());
  EXPECT_TRUE(open(*seal("{}", 1, kCreated, after), keys).ok());
  const auto refused = open(*seal("{}", 1, kCreated, stranger), keys);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(open(*seal("{}", 1, kCreated, before), {}).ok());
}

TEST(Seal, refuses_damage_at_every_byte_and_every_truncation) {
  const crypto::SigningKey key = key_of(1);
  const std::vector keys{key.public_key()};
  const std::string good = *seal(payload_of(20), 42, kCreated, key);
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      ASSERT_FALSE(open(bad, keys).ok()) << i;
    }
    ASSERT_FALSE(open(good.substr(0, i), keys).ok()) << i;
  }
  EXPECT_FALSE(open(good + "x", keys).ok());
  EXPECT_TRUE(open(good, keys).ok());
}

TEST(Seal, refuses_random_damage_of_a_large_file) {
  const crypto::SigningKey key = key_of(1);
  const std::vector keys{key.public_key()};
  const std::string good = *seal(payload_of(5000), 42, kCreated, key);
  constexpr std::uint64_t kSeed = 20'261'121;
  Prng prng(kSeed);
  for (int i = 0; i < 300; ++i) {
    std::string bad = good;
    const std::size_t at = prng.below(bad.size());
    bad[at] = static_cast<char>(bad[at] ^ static_cast<char>(1 + prng.below(255)));
    ASSERT_FALSE(open(bad, keys).ok()) << "seed " << kSeed << " byte " << at;
  }
}

TEST(Seal, refuses_a_decompression_bomb_even_when_it_is_signed) {
  const crypto::SigningKey key = key_of(1);
  const std::vector keys{key.public_key()};
  const std::string bomb = compressed(std::string(200 << 20, '\0'));
  ASSERT_LT(bomb.size(), 100'000u);
  wire::snapshot::Header header;
  header.serial = 1;
  // The header lies: the frame holds 200 MiB.
  header.payload_size = 1000;
  EXPECT_NE(open(signed_file(header, bomb, key), keys).error().text().find("length"),
            std::string::npos);
  // The frame lies too: without a content size it says nothing before it is decompressed.
  std::string streamed(1 << 20, '\0');
  ZSTD_CCtx* context = ::ZSTD_createCCtx();
  ::ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  const std::string zeros(4 << 20, '\0');
  streamed.resize(
      ::ZSTD_compress2(context, streamed.data(), streamed.size(), zeros.data(), zeros.size()));
  ::ZSTD_freeCCtx(context);
  EXPECT_FALSE(open(signed_file(header, streamed, key), keys).ok());
}

TEST(Seal, refuses_a_payload_of_another_length_and_two_frames) {
  const crypto::SigningKey key = key_of(1);
  const std::vector keys{key.public_key()};
  wire::snapshot::Header header;
  header.serial = 1;
  header.payload_size = 5;
  EXPECT_TRUE(open(signed_file(header, compressed("12345"), key), keys).ok());
  EXPECT_FALSE(open(signed_file(header, compressed("1234"), key), keys).ok());
  EXPECT_FALSE(open(signed_file(header, compressed("12345") + compressed("6"), key), keys).ok());
  EXPECT_FALSE(open(signed_file(header, "no zstd frame", key), keys).ok());
  header.created = ~0ULL;
  EXPECT_FALSE(open(signed_file(header, compressed("12345"), key), keys).ok());
}

TEST(Seal, refuses_an_empty_and_an_oversized_payload) {
  const crypto::SigningKey key = key_of(1);
  EXPECT_EQ(seal("", 1, kCreated, key).error().code, ErrorCode::kExhausted);
  const std::string large(wire::snapshot::kMaxPayload + 1, 'x');
  EXPECT_EQ(seal(large, 1, kCreated, key).error().code, ErrorCode::kExhausted);
}

}  // namespace
}  // namespace timepool::snapshot
