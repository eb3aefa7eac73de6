// getaddrinfo, in up to kMaxThreads detached helper threads (it can't be interrupted, so the end of
// the program must not wait for it) or within process().
#include <netdb.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>

#include "net/lookup_table.h"
#include "net/resolver_backends.h"
#include "sys/clock.h"
#include "sys/fd.h"

namespace timepool::net {
namespace {

// One name whose servers don't answer must not hold up the others.
constexpr int kMaxThreads = 4;

struct Job {
  LookupId id = 0;
  std::string name;
  LookupFamily family = LookupFamily::kBoth;
};

struct Done {
  LookupId id = 0;
  LookupResult result;
};

IpAddress address_of(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, address, sizeof in);
    return IpAddress::v4(ntohl(in.sin_addr.s_addr));
  }
  sockaddr_in6 in6;
  std::memcpy(&in6, address, sizeof in6);
  return IpAddress::from_bytes(std::as_bytes(std::span(in6.sin6_addr.s6_addr)));
}

LookupStatus status_of(int code) {
  switch (code) {
    case 0:
      return LookupStatus::kOk;
    case EAI_NONAME:
      return LookupStatus::kNxDomain;
#ifdef EAI_NODATA
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
      return LookupStatus::kNoData;
#endif
    default:
      return LookupStatus::kServFail;
  }
}

LookupResult ask_system(const Job& job) {
  addrinfo hints{};
  hints.ai_family = job.family == LookupFamily::kBoth ? AF_UNSPEC
                    : job.family == LookupFamily::kV4 ? AF_INET
                                                      : AF_INET6;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  LookupResult result;
  result.status = status_of(getaddrinfo(job.name.c_str(), nullptr, &hints, &list));
  if (result.status != LookupStatus::kOk) return result;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    if (at->ai_family == AF_INET || at->ai_family == AF_INET6) {
      add_address(result, address_of(at->ai_addr));
    }
  }
  freeaddrinfo(list);
  if (result.addresses.empty()) result.status = LookupStatus::kNoData;
  return result;
}

// What the threads share with the resolver, and outlives it while one of them is in getaddrinfo.
class Workers {
 public:
  explicit Workers(sys::Fd wake) : wake_(std::move(wake)) {}

  int wake_fd() const { return wake_.number(); }

  // False when there is no thread and none can be started.
  static bool submit(const std::shared_ptr<Workers>& self, Job job) {
    std::unique_lock lock(self->mutex_);
    self->jobs_.push_back(std::move(job));
    if (self->idle_ >= static_cast<int>(self->jobs_.size()) || self->threads_ >= kMaxThreads) {
      self->wanted_.notify_one();
      return true;
    }
    const SignalsBlocked blocked;
    try {
      std::thread([self] { self->run(); }).detach();
      ++self->threads_;
    } catch (const std::system_error&) {
      if (self->threads_ == 0) self->jobs_.pop_back();
    }
    return self->threads_ > 0;
  }
  void forget(LookupId id) {
    const std::lock_guard lock(mutex_);
    std::erase_if(jobs_, [&](const Job& job) { return job.id == id; });
  }
  std::vector<Done> take_done() {
    std::uint64_t count = 0;
    static_cast<void>(!read(wake_.number(), &count, sizeof count));
    const std::lock_guard lock(mutex_);
    return std::move(done_);
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
    wanted_.notify_all();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      wanted_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
      --idle_;
      if (stopping_) return;
      const Job job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      LookupResult result = ask_system(job);
      lock.lock();
      if (stopping_) return;
      done_.push_back({job.id, std::move(result)});
      const std::uint64_t one = 1;
      static_cast<void>(!write(wake_.number(), &one, sizeof one));
    }
  }

  const sys::Fd wake_;
  std::mutex mutex_;
  std::condition_variable wanted_;
  std::deque<Job> jobs_;  // at most Resolver::kMaxLookups
  std::vector<Done> done_;
  int threads_ = 0;
  int idle_ = 0;
  bool stopping_ = false;
};

class SystemResolver : public Resolver {
 public:
  // `workers` is null where there are no threads.
  SystemResolver(Duration timeout, std::shared_ptr<Workers> workers)
      : timeout_(timeout), workers_(std::move(workers)) {}
  ~SystemResolver() override {
    if (workers_) workers_->stop();
  }

  LookupId lookup(std::string_view name, LookupFamily family, MonoTime now,
                  Callback callback) override {
    const auto added = table_.add(name, family, now + timeout_, std::move(callback));
    if (!added.started) return added.id;
    Job job{added.id, std::string(name), family};
    if (!workers_) {
      waiting_.push_back(std::move(job));
    } else if (!Workers::submit(workers_, std::move(job))) {
      table_.finish(added.id, LookupResult{});
    }
    return added.id;
  }

  void cancel(LookupId id) override {
    table_.cancel(id);
    std::erase_if(waiting_, [&](const Job& job) { return job.id == id; });
    if (workers_) workers_->forget(id);
  }

  int fd() const override { return workers_ ? workers_->wake_fd() : -1; }

  MonoTime next_deadline() const override {
    return waiting_.empty() ? table_.next_deadline() : MonoTime();
  }

  void process(MonoTime now) override {
    if (workers_) {
      for (Done& done : workers_->take_done()) table_.finish(done.id, std::move(done.result));
    }
    if (!waiting_.empty()) {
      // One a turn: others may be waiting for the loop.
      const Job job = std::move(waiting_.front());
      waiting_.pop_front();
      table_.finish(job.id, ask_system(job));
    } else {
      expire(now);
    }
    table_.run_callbacks();
  }

 private:
  void expire(MonoTime now) {
    while (const LookupId id = table_.expired(now)) {
      LookupResult late;
      late.status = LookupStatus::kTimeout;
      table_.finish(id, late);
      if (workers_) workers_->forget(id);
    }
  }

  Duration timeout_;
  LookupTable table_;
  std::shared_ptr<Workers> workers_;
  std::deque<Job> waiting_;
};

}  // namespace

Result<std::unique_ptr<Resolver>> make_system_resolver(const ResolverOptions& options) {
  std::shared_ptr<Workers> workers;
  if (options.threads) {
    sys::Fd wake(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!wake) return fail(system_error(errno, "eventfd"));
    workers = std::make_shared<Workers>(std::move(wake));
  }
  return std::unique_ptr<Resolver>(new SystemResolver(options.timeout, std::move(workers)));
}

}  // namespace timepool::net
