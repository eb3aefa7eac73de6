#include "crypto/key_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/hex.h"
#include "crypto/digest.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/random.h"
#include "sys/secret_file.h"

namespace timepool::crypto {
namespace {

// A key is 66; a file that is longer by little is still said to be none.
constexpr std::size_t kMaxText = 4096;

Result<void> write_durably(int fd, std::string_view text, const std::string& path) {
  if (::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail(system_error(errno == 0 ? ENOSPC : errno, "write " + path));
  }
  if (::fsync(fd) < 0) return fail(system_error(errno, "fsync " + path));
  return {};
}

Result<void> sync_parent(const std::string& path) {
  const std::string parent = sys::directory_of(path);
  const sys::Fd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.number()) < 0) {
    return fail(system_error(errno, "fsync " + parent));
  }
  return {};
}

}  // namespace

Result<SigningKey> load_signing_key(const std::string& path) {
  std::string text = TRY(sys::read_secret_file(path, kMaxText));
  std::string_view hex = text;
  while (!hex.empty() && (hex.back() == '\n' || hex.back() == '\r')) hex.remove_suffix(1);
  auto bytes = from_hex(hex);
  wipe(std::as_writable_bytes(std::span(text.data(), text.size())));
  SigningKey::Seed seed{};
  if (!bytes.ok() || bytes->size() != seed.size()) {
    return fail(Error{ErrorCode::kCorrupt, "key file " + path,
                      "a key is 64 hexadecimal digits and a line end"});
  }
  std::copy(bytes->begin(), bytes->end(), seed.begin());
  SigningKey key = SigningKey::from_seed(seed);
  wipe(seed);
  wipe(*bytes);
  return key;
}

Result<SigningKey> create_signing_key(const std::string& path, const SigningKey::Seed& seed) {
  // Under another name until it is whole: half a key, left by a crash, would stop every later
  // start. link() leaves a key that is there already alone, as rename() would not.
  const std::string temporary = path + ".tmp" + std::to_string(sys::random_u64());
  const sys::Fd file(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return fail(system_error(errno, "create key file " + path));
  std::string text = to_hex(seed) + "\n";
  errno = 0;
  Result<void> written = write_durably(file.number(), text, path);
  wipe(std::as_writable_bytes(std::span(text.data(), text.size())));
  if (written.ok() && ::link(temporary.c_str(), path.c_str()) < 0) {
    written = fail(system_error(errno, "create key file " + path));
  }
  ::unlink(temporary.c_str());
  if (!written.ok()) return fail(written.error());
  TRY(sync_parent(path));
  return SigningKey::from_seed(seed);
}

}  // namespace timepool::crypto
