#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "store/db.h"
#include "store/sqlite_connection.h"

namespace timepool::store {
namespace {

// Writes that share a transaction, at the most. Its time is that of one fsync plus 64 short jobs.
constexpr std::size_t kMaxGroup = 64;

struct Pending {
  const Job* job = nullptr;
  Result<void> result;
  bool done = false;
};

// Holds an exclusive flock on "<path>.lock" for as long as it lives; the kernel lets go of it when
// the process dies in any way.
class LockFile {
 public:
  static Result<LockFile> take(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return fail(system_error(errno, "[store] path: open " + path));
    LockFile out(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return out;
    if (errno != EWOULDBLOCK) return fail(system_error(errno, "[store] path: lock " + path));
    return fail(Error{ErrorCode::kUnavailable, "[store] path: lock " + path,
                      "another process has this database open"});
  }
  LockFile(LockFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  LockFile& operator=(LockFile&&) = delete;
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  ~LockFile() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  explicit LockFile(int fd) : fd_(fd) {}
  int fd_;
};

// SQLite would make the file readable by everybody, as the umask has it; its other files take the
// mode of this one.
Result<void> make_private_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return fail(system_error(errno, "[store] path: open " + path));
  ::close(fd);
  return {};
}

class SqliteDb final : public Db {
 public:
  SqliteDb(LockFile lock, std::unique_ptr<SqliteConnection> writer,
           std::vector<std::unique_ptr<SqliteConnection>> readers)
      : lock_(std::move(lock)), writer_(std::move(writer)), readers_(std::move(readers)) {
    thread_ = std::thread([this] { run(); });
  }
  ~SqliteDb() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    work_.notify_one();
    thread_.join();
  }

  Result<void> write(const Job& job) override {
    Pending pending;
    pending.job = &job;
    std::unique_lock lock(mutex_);
    queue_.push_back(&pending);
    work_.notify_one();
    finished_.wait(lock, [&] { return pending.done; });
    return std::move(pending.result);
  }

  Result<void> read(const Job& job) override {
    std::unique_ptr<SqliteConnection> connection;
    {
      std::unique_lock lock(readers_mutex_);
      reader_free_.wait(lock, [&] { return !readers_.empty(); });
      connection = std::move(readers_.back());
      readers_.pop_back();
    }
    Result<void> result = connection->script("BEGIN");
    if (result.ok()) {
      result = job(*connection);
      // Nothing was changed: ending the snapshot can't fail in a way that matters to the reader.
      static_cast<void>(connection->script("ROLLBACK"));
    }
    {
      const std::lock_guard lock(readers_mutex_);
      readers_.push_back(std::move(connection));
    }
    reader_free_.notify_one();
    return result;
  }

  std::uint64_t commits() const override { return commits_.load(std::memory_order_relaxed); }

 private:
  void run() {
    while (true) {
      std::vector<Pending*> group;
      {
        std::unique_lock lock(mutex_);
        work_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        const std::size_t count = std::min(queue_.size(), kMaxGroup);
        group.assign(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
        queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
      }
      run_group(group);
      {
        const std::lock_guard lock(mutex_);
        for (Pending* pending : group) pending->done = true;
      }
      finished_.notify_all();
    }
  }

  // One transaction for all; when it fails as a whole each one is tried alone, so that one write
  // that fills the disk does not fail its neighbours.
  void run_group(const std::vector<Pending*>& group) {
    const Result<void> result = transaction(group);
    if (result.ok()) return;
    for (Pending* pending : group) {
      const Result<void> alone = group.size() == 1 ? result : transaction({pending});
      if (!alone.ok()) pending->result = fail(alone.error());
    }
  }

  // An error means that nothing of the group was kept.
  Result<void> transaction(const std::vector<Pending*>& group) {
    TRY(writer_->script("BEGIN IMMEDIATE"));
    Result<void> whole;
    for (Pending* pending : group) {
      whole = one_job(*pending);
      if (!whole.ok()) break;
    }
    if (whole.ok()) whole = writer_->script("COMMIT");
    if (!whole.ok()) {
      if (writer_->in_transaction()) static_cast<void>(writer_->script("ROLLBACK"));
      return whole;
    }
    commits_.fetch_add(1, std::memory_order_relaxed);
    return {};
  }

  // The job's own failure is its result; what is returned failed the transaction.
  Result<void> one_job(Pending& pending) {
    TRY(writer_->script("SAVEPOINT job"));
    pending.result = (*pending.job)(*writer_);
    if (pending.result.ok()) return writer_->script("RELEASE job");
    if (!writer_->in_transaction()) return fail(pending.result.error());
    return writer_->script("ROLLBACK TO job; RELEASE job");
  }

  LockFile lock_;
  std::unique_ptr<SqliteConnection> writer_;
  std::vector<std::unique_ptr<SqliteConnection>> readers_;
  std::mutex readers_mutex_;
  std::condition_variable reader_free_;

  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable finished_;
  std::deque<Pending*> queue_;  // at most one for each thread that is in write()
  bool stopping_ = false;
  std::atomic<std::uint64_t> commits_{0};
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Db>> open_sqlite(const SqliteOptions& options) {
  auto lock = TRY(LockFile::take(options.path + ".lock"));
  TRY(make_private_file(options.path));
  auto writer = TRY(SqliteConnection::open(options, SqliteConnection::Use::kWrite));
  std::vector<std::unique_ptr<SqliteConnection>> readers;
  for (int i = 0; i < std::max(options.readers, 1); ++i) {
    readers.push_back(TRY(SqliteConnection::open(options, SqliteConnection::Use::kRead)));
  }
  return std::unique_ptr<Db>(
      std::make_unique<SqliteDb>(std::move(lock), std::move(writer), std::move(readers)));
}

}  // namespace timepool::store
