// The driver for NTP's shared memory: a System V segment that gpsd and others write.
#include <fmt/core.h>
#include <sys/shm.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "refclock/driver.h"
#include "refclock/shm_record.h"

namespace timepool::refclock {
namespace {

constexpr key_t kFirstKey = 0x4e545030;  // "NTP0"

std::string describe(const ShmOptions& options) {
  return fmt::format("SHM unit {} (key {:#x})", options.unit,
                     static_cast<unsigned>(kFirstKey) + options.unit);
}

// Attached; detaches.
class Segment {
 public:
  explicit Segment(void* at) : at_(static_cast<std::byte*>(at)) {}
  Segment(Segment&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  Segment& operator=(Segment&&) = delete;
  ~Segment() {
    if (at_ != nullptr) ::shmdt(at_);
  }
  std::byte* bytes() const { return at_; }

 private:
  std::byte* at_;
};

class ShmDriver final : public Driver {
 public:
  ShmDriver(Segment segment, const ShmLayout& layout)
      : segment_(std::move(segment)), layout_(layout) {}
  void poll(Looks& out) override {
    static_cast<void>(out.push_back(read_shm_segment(segment_.bytes(), layout_)));
  }

 private:
  Segment segment_;
  const ShmLayout& layout_;
};

// Whose it is and who may write to it.
Result<void> judge(const shmid_ds& info, const ShmOptions& options) {
  const uid_t owner = info.shm_perm.uid;
  const uid_t creator = info.shm_perm.cuid;
  const auto trusted = [&](uid_t uid) {
    return uid == 0 || uid == ::geteuid() || uid == options.owner;
  };
  const auto refuse = [&](std::string why) {
    return fail(Error{ErrorCode::kDenied, describe(options), std::move(why)});
  };
  if (!trusted(owner) || !trusted(creator)) {
    return refuse(
        fmt::format("the segment belongs to user {} (made by {}), not to root, to us, or to "
                    "[[refclock]] owner",
                    owner, creator));
  }
  const unsigned mode = info.shm_perm.mode & 0777U;
  if ((mode & ~options.permissions) != 0) {
    return refuse(
        fmt::format("the segment's mode is {:04o}: more may write to it than [[refclock]] "
                    "permissions = \"{:04o}\" allows",
                    mode, options.permissions));
  }
  return {};
}

Result<const ShmLayout*> examine(int id, const ShmOptions& options) {
  if (options.simulated) return &kShmWide;
  shmid_ds info{};
  if (::shmctl(id, IPC_STAT, &info) < 0) return fail(system_error(errno, describe(options)));
  TRY(judge(info, options));
  const ShmLayout* layout = shm_layout_of(info.shm_segsz);
  if (layout == nullptr) {
    return fail(Error{ErrorCode::kInvalid, describe(options),
                      fmt::format("the segment has {} octets; NTP's has {} or {}", info.shm_segsz,
                                  kShmWide.size, kShmNarrow.size)});
  }
  return layout;
}

// Somebody else's of any size, else a new one.
int find_or_make(key_t key, unsigned permissions) {
  const int found = ::shmget(key, 0, 0);
  if (found >= 0 || errno != ENOENT) return found;
  return ::shmget(key, kShmWide.size, IPC_CREAT | static_cast<int>(permissions));
}

}  // namespace

Result<std::unique_ptr<Driver>> open_shm(const ShmOptions& options) {
  const auto key = static_cast<key_t>(static_cast<unsigned>(kFirstKey) + options.unit);
  const int id = find_or_make(key, options.permissions);
  if (id < 0) return fail(system_error(errno, describe(options)));
  // Examined before it is attached: nothing of a segment that is refused is looked at.
  const ShmLayout* layout = TRY(examine(id, options));
  void* at = ::shmat(id, nullptr, 0);
  if (at == reinterpret_cast<void*>(-1)) return fail(system_error(errno, describe(options)));
  return std::unique_ptr<Driver>(std::make_unique<ShmDriver>(Segment(at), *layout));
}

}  // namespace timepool::refclock
