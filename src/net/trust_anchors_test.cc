#include "net/trust_anchors.h"
#include "sys/temporary_directory.h"

#include <gtest/gtest.h>

#include <fstream>

namespace timepool::net {
namespace {

const std::string kDigest(64, 'a');
const std::string kDs = "pool.test. IN DS 4711 13 2 " + kDigest;

std::string fault_of(const std::string& text) {
  const auto read = parse_trust_anchors(text);
  return read.ok() ? "" : read.error().text();
}

TEST(TrustAnchors, take_ds_and_dnskey_records_with_and_without_ttl_and_class) {
  const auto read =
      parse_trust_anchors("; a comment\n\n" + kDs + " ; the key\n. 3600 IN DS 1 8 2 " + kDigest +
                          "\nx.test. DNSKEY 257 3 13 AAAA BBBB\n");
  ASSERT_TRUE(read.ok()) << read.error().text();
  ASSERT_EQ(read->size(), 3U);
  EXPECT_EQ((*read)[0], kDs);
  EXPECT_EQ((*read)[2], "x.test. DNSKEY 257 3 13 AAAA BBBB");
}

TEST(TrustAnchors, leave_out_keys_that_unbound_does_not_trust_any_more) {
  const auto read = parse_trust_anchors(
      ". 1 IN DNSKEY 257 3 8 AAAA ;{id = 1} ;;state=2 [  VALID  ] ;;count=0\n"
      ". 1 IN DNSKEY 385 3 8 BBBB ;{id = 2} ;;state=4 [ REVOKED ] ;;count=0\n");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->size(), 1U);
}

TEST(TrustAnchors, name_the_line_and_its_fault) {
  EXPECT_EQ(fault_of(kDs + "\npool.test. IN A 192.0.2.1\n"),
            "line 2: neither a DS nor a DNSKEY record");
  EXPECT_EQ(fault_of("pool.test. IN DS 4711 13 2 abcd"),
            "line 1: the digest is not of its type's length");
  EXPECT_EQ(fault_of("pool.test. IN DS 4711 13 7 " + kDigest),
            "line 1: the digest type is not 1, 2 or 4");
  EXPECT_EQ(fault_of("pool.test. IN DS 70000 13 2 " + kDigest),
            "line 1: no key tag or no algorithm");
  EXPECT_EQ(fault_of("pool.test. IN DNSKEY 257 3 13 (\n"), "line 1: the key is not base64");
  EXPECT_EQ(fault_of("pool.test."), "line 1: expected: NAME [TTL] [IN] DS or DNSKEY ...");
  EXPECT_EQ(fault_of("; nothing\n"), "trust anchors: there is no record");
}

TEST(TrustAnchors, are_bounded) {
  std::string text;
  for (std::size_t i = 0; i <= kMaxAnchors; ++i) text += kDs + "\n";
  EXPECT_EQ(fault_of(text), "line 65: too many records");
}

TEST(TrustAnchors, a_file_that_is_not_there_is_named) {
  const auto read = load_trust_anchors({"/nowhere/anchor.ds"});
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kNotFound);
  EXPECT_NE(read.error().text().find("/nowhere/anchor.ds"), std::string::npos);
}

TEST(TrustAnchors, several_files_are_read) {
  const sys::TemporaryDirectory temporary;
  const std::string file = temporary.path() + "/anchor.ds";
  std::ofstream(file) << kDs << "\n";
  const auto read = load_trust_anchors({file, file});
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_EQ(read->size(), 2U);
}

}  // namespace
}  // namespace timepool::net
