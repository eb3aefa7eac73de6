#include "crypto/dns_key_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "crypto/dns_key_bundle.h"
#include "sys/temporary_directory.h"

namespace timepool::crypto {
namespace {

using dnssec::Algorithm;

class DnsKeyDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_.emplace(root_ + "/a/keys");
    ASSERT_TRUE(directory_->prepare().ok());
  }
  // A zone with one key, on disk.
  dnssec::KeyStateFile make_zone(const std::string& zone, Algorithm algorithm) {
    const auto key = DnsKey::generate(algorithm).value();
    dnssec::PlannedKey planned;
    planned.algorithm = algorithm;
    planned.tag = 4711;
    planned.public_key = key->public_key();
    planned.published.from = planned.signing.from = 1000;
    dnssec::KeyStateFile state;
    state.zone = zone;
    state.record.now = 1000;
    state.record.keys.push_back(planned);
    EXPECT_TRUE(directory_->save_key(zone, planned.tag, *key).ok());
    EXPECT_TRUE(directory_->write_state(state).ok());
    return state;
  }

  sys::TemporaryDirectory temporary_;
  std::string root_ = temporary_.path();
  std::optional<DnsKeyDirectory> directory_;
  const std::string zone_ = "pool.example.";
};

TEST_F(DnsKeyDirectoryTest, is_made_for_its_owner_alone) {
  struct stat info{};
  ASSERT_EQ(::stat(directory_->path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
  ASSERT_EQ(::chmod(directory_->path().c_str(), 0770), 0);
  const auto open = directory_->prepare();
  ASSERT_FALSE(open.ok());
  EXPECT_EQ(open.error().code, ErrorCode::kDenied);
}

TEST_F(DnsKeyDirectoryTest, names_of_zones_can_not_leave_it) {
  EXPECT_EQ(directory_->state_path("pool.example."), directory_->path() + "/pool.example.state");
  EXPECT_EQ(directory_->key_path("pool.example.", Algorithm::kEd25519, 7),
            directory_->path() + "/pool.example+015+00007.pem");
  EXPECT_EQ(directory_->state_path("../x.y."), directory_->path() + "/%2e.%2fx.y.state");
  EXPECT_EQ(directory_->state_path("."), directory_->path() + "/%.state");
}

TEST_F(DnsKeyDirectoryTest, gives_back_what_was_put_in) {
  EXPECT_FALSE(directory_->read_state(zone_).value());
  EXPECT_EQ(directory_->state_stamp(zone_), "");
  const dnssec::KeyStateFile state = make_zone(zone_, Algorithm::kEd25519);
  EXPECT_NE(directory_->state_stamp(zone_), "");
  const auto again = directory_->read_state(zone_);
  ASSERT_TRUE(again.ok() && *again);
  EXPECT_EQ(**again, state);
  const dnssec::PlannedKey& key = state.record.keys[0];
  EXPECT_TRUE(directory_->has_key(zone_, key));
  const auto loaded = directory_->load_key(zone_, key);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ((*loaded)->public_key(), key.public_key);
  // Once more the same is right; another is never put in its place.
  EXPECT_TRUE(directory_->save_key(zone_, key.tag, **loaded).ok());
  const auto other = DnsKey::generate(Algorithm::kEd25519).value();
  EXPECT_EQ(directory_->save_key(zone_, key.tag, *other).error().code, ErrorCode::kExists);
  directory_->remove_key(zone_, key);
  EXPECT_FALSE(directory_->has_key(zone_, key));
  EXPECT_EQ(directory_->load_key(zone_, key).error().code, ErrorCode::kNotFound);
}

TEST_F(DnsKeyDirectoryTest, says_what_is_wrong_with_a_state) {
  make_zone(zone_, Algorithm::kEd25519);
  std::ofstream(directory_->state_path(zone_), std::ios::app) << "more\n";
  const auto damaged = directory_->read_state(zone_);
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(damaged.error().text().find("pool.example.state"), std::string::npos);
  make_zone("other.example.", Algorithm::kEd25519);
  ASSERT_EQ(std::rename(directory_->state_path("other.example.").c_str(),
                        directory_->state_path(zone_).c_str()),
            0);
  EXPECT_EQ(directory_->read_state(zone_).error().detail, "it is of other.example.");
}

TEST_F(DnsKeyDirectoryTest, a_key_of_another_zone_is_no_key_of_this_one) {
  const auto mine = make_zone(zone_, Algorithm::kEd25519);
  make_zone("other.example.", Algorithm::kEd25519);
  ASSERT_EQ(std::rename(directory_->key_path("other.example.", Algorithm::kEd25519, 4711).c_str(),
                        directory_->key_path(zone_, Algorithm::kEd25519, 4711).c_str()),
            0);
  const auto loaded = directory_->load_key(zone_, mine.record.keys[0]);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().detail, "it holds another key than the zone's state says");
}

TEST_F(DnsKeyDirectoryTest, sealed_keys_reach_another_directory) {
  const auto state = make_zone(zone_, Algorithm::kEcdsaP256Sha256);
  BundleSecret secret{};
  secret[3] = std::byte{9};
  const auto bundle = collect_bundle(*directory_, zone_);
  ASSERT_TRUE(bundle.ok()) << bundle.error().text();
  const auto sealed = seal_bundle(*bundle, secret, {});
  ASSERT_TRUE(sealed.ok());
  EXPECT_EQ(sealed->find("PRIVATE"), std::string::npos);
  const DnsKeyDirectory there(root_ + "/b");
  ASSERT_TRUE(there.prepare().ok());
  const auto opened = open_bundle(*sealed, secret);
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  ASSERT_TRUE(install_bundle(there, *opened).ok());
  EXPECT_EQ(there.read_state(zone_).value(), state);
  EXPECT_TRUE(there.load_key(zone_, state.record.keys[0]).ok());
  // Twice is once; older than what is there is refused.
  EXPECT_TRUE(install_bundle(there, *opened).ok());
  DnsKeyBundle older = *opened;
  older.state.record.now -= 1;
  EXPECT_EQ(install_bundle(there, older).error().code, ErrorCode::kExists);
}

TEST_F(DnsKeyDirectoryTest, sealed_keys_that_were_changed_are_refused) {
  make_zone(zone_, Algorithm::kEd25519);
  const BundleSecret secret{};
  const std::string sealed = seal_bundle(*collect_bundle(*directory_, zone_), secret, {}).value();
  BundleSecret other{};
  other[0] = std::byte{1};
  EXPECT_EQ(open_bundle(sealed, other).error().code, ErrorCode::kDenied);
  for (std::size_t i = 0; i + 1 < sealed.size(); i += 7) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(open_bundle(changed, secret).ok()) << i;
    EXPECT_FALSE(open_bundle(sealed.substr(0, i), secret).ok()) << i;
  }
  EXPECT_EQ(collect_bundle(*directory_, "none.example.").error().code, ErrorCode::kNotFound);
}

TEST_F(DnsKeyDirectoryTest, the_secret_is_64_digits_for_its_owner_alone) {
  const std::string path = root_ + "/secret";
  std::ofstream(path) << std::string(64, 'a') << "\n";
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  ASSERT_TRUE(load_bundle_secret(path).ok());
  EXPECT_EQ((*load_bundle_secret(path))[31], std::byte{0xaa});
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  EXPECT_EQ(load_bundle_secret(path).error().code, ErrorCode::kDenied);
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  std::ofstream(path) << "abc\n";
  EXPECT_EQ(load_bundle_secret(path).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace timepool::crypto
