// libunbound as a validating resolver.
#include "net/service_resolver.h"

#include <poll.h>
#include <sys/stat.h>
#include <unbound.h>

#include <algorithm>
#include <deque>
#include <map>
#include <utility>
#include <variant>

#include "base/check.h"
#include "net/clock_watch.h"
#include "net/lookup_table.h"
#include "net/resolver_backends.h"
#include "sys/clock.h"
#include "wire/dns/constants.h"
#include "wire/dns/rdata.h"

namespace timepool::net {
namespace {

namespace dns = wire::dns;

struct Setting {
  const char* key;
  const char* value;
};

constexpr Setting kSettings[] = {
    {"module-config:", "validator iterator"},
    {"do-not-query-localhost:", "no"},
    // Membership and addresses change: what is over is over, and what is missing may come soon.
    {"serve-expired:", "no"},
    {"prefetch:", "no"},
    {"cache-max-negative-ttl:", "60"},
    {"val-bogus-ttl:", "10"},
    // RFC 8145: which anchors a client has is nobody's business, and the zone need not be the root.
    {"trust-anchor-signaling:", "no"},
    {"infra-host-ttl:", "5"},
    {"infra-keep-probing:", "yes"},
    {"edns-buffer-size:", "1232"},
    {"msg-cache-size:", "256k"},
    {"rrset-cache-size:", "512k"},
    {"key-cache-size:", "256k"},
    {"use-syslog:", "no"},
};
// As in net/resolver_unbound.cc: names that private and test zones may have.
constexpr const char* kServedZones[] = {"test.", "home.arpa."};
constexpr const char* kResolvConf = "/etc/resolv.conf";
// A clock that signatures are judged by instead of the system's stands still in libunbound: it is
// set anew when it is so far off.
constexpr Duration kDatesKept = Duration::seconds(600);

struct ContextDeleter {
  void operator()(ub_ctx* context) const { ub_ctx_delete(context); }
};
using Context = std::unique_ptr<ub_ctx, ContextDeleter>;
struct ResultDeleter {
  void operator()(ub_result* result) const { ub_resolve_free(result); }
};

Error unbound_error(int code, const std::string& what) {
  return {ErrorCode::kSystem, "libunbound " + what, ub_strerror(code)};
}

Result<void> set_option(ub_ctx* context, const char* key, const std::string& value) {
  const int code = ub_ctx_set_option(context, key, value.c_str());
  if (code != 0) return fail(unbound_error(code, key));
  return {};
}

// RFC 4034 3.2: YYYYMMDDHHmmSS, as unbound's option wants it too; -1 leaves dates out.
std::string date_option(const SignatureDates& dates) {
  if (!dates.checked) return "-1";
  if (!dates.at) return "0";
  std::string out;
  for (const char c : format_utc(*dates.at, 0)) {
    if (c >= '0' && c <= '9') out += c;
  }
  return out;
}

// What tells one state of a file from the next.
struct FileMark {
  bool there = false;
  dev_t device = 0;
  ino_t number = 0;
  off_t size = 0;
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  bool operator==(const FileMark&) const = default;
};

FileMark mark_of(const char* path) {
  struct stat found = {};
  if (stat(path, &found) != 0) return {};
  return {true,          found.st_dev,         found.st_ino,
          found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
}

// resolv.conf(5): without the file, or a server in it, the one on this machine is asked.
Result<void> set_system_servers(ub_ctx* context) {
  const int code = mark_of(kResolvConf).there ? ub_ctx_resolvconf(context, kResolvConf)
                                              : ub_ctx_set_fwd(context, "127.0.0.1");
  if (code != 0) return fail(unbound_error(code, kResolvConf));
  return {};
}

Result<void> set_servers(ub_ctx* context, const ServiceResolverOptions& options) {
  if (options.full_resolution) return {};
  TRY(set_option(context, "target-fetch-policy:", "0 0 0 0 0"));
  if (options.servers.empty()) return set_system_servers(context);
  for (const Endpoint& server : options.servers) {
    const std::string text = format(server.address) + '@' + std::to_string(server.port);
    const int code = ub_ctx_set_fwd(context, text.c_str());
    if (code != 0) return fail(unbound_error(code, "server " + format(server)));
  }
  return {};
}

Result<Context> make_context(const ServiceResolverOptions& options, const SignatureDates& dates) {
  Context context(ub_ctx_create());
  if (!context) return fail(Error{ErrorCode::kSystem, "libunbound", "cannot be initialised"});
  for (const Setting& it : kSettings) TRY(set_option(context.get(), it.key, it.value));
  TRY(set_option(context.get(), "val-override-date:", date_option(dates)));
  TRY(set_servers(context.get(), options));
  for (const std::string& anchor : options.anchors) {
    const int code = ub_ctx_add_ta(context.get(), anchor.c_str());
    if (code != 0) return fail(unbound_error(code, "trust anchor " + anchor));
  }
  // 1: a thread, not a process.
  if (const int code = ub_ctx_async(context.get(), 1); code != 0) {
    return fail(unbound_error(code, "async"));
  }
  return context;
}

Result<void> begin(ub_ctx* context) {
  for (const char* zone : kServedZones) {
    const int code = ub_ctx_zone_remove(context, zone);
    if (code != 0) return fail(unbound_error(code, "start"));
  }
  return {};
}

LookupStatus status_of(const ub_result& answer, bool found) {
  if (found) return LookupStatus::kOk;
  if (answer.nxdomain != 0) return LookupStatus::kNxDomain;
  return answer.rcode == static_cast<int>(dns::Rcode::kNoError) ? LookupStatus::kNoData
                                                                : LookupStatus::kServFail;
}

DnsSecurity security_of(const ub_result& answer) {
  if (answer.bogus != 0) return DnsSecurity::kBogus;
  return answer.secure != 0 ? DnsSecurity::kSecure : DnsSecurity::kInsecure;
}

std::vector<Bytes> data_of(const ub_result& answer) {
  std::vector<Bytes> out;
  if (answer.havedata == 0) return out;
  for (int i = 0; answer.data[i] != nullptr; ++i) {
    const auto size = static_cast<std::size_t>(answer.len[i]);
    out.emplace_back(reinterpret_cast<const std::byte*>(answer.data[i]), size);
  }
  return out;
}

std::string text_of_target(const dns::DnsName& name) {
  std::string out = format(dns::lowered(name));
  if (out.size() > 1 && out.back() == '.') out.pop_back();
  return out;
}

ServiceLookup read_services(const ub_result& answer) {
  ServiceLookup out;
  out.security = security_of(answer);
  if (answer.why_bogus != nullptr) out.why = answer.why_bogus;
  out.alias = answer.canonname != nullptr;
  for (const Bytes data : data_of(answer)) {
    if (out.records.size() >= ServiceResolver::kMaxRecords) break;
    ByteReader reader(data);
    const auto parsed = dns::parse_rdata(reader, dns::RrType::kSrv, data.size());
    const dns::Srv* srv = parsed.ok() ? std::get_if<dns::Srv>(&*parsed) : nullptr;
    if (srv == nullptr) continue;
    out.records.push_back({text_of_target(srv->target), srv->port, srv->priority, srv->weight});
  }
  out.status = status_of(answer, !out.records.empty());
  out.ttl = Duration::seconds(std::max(answer.ttl, 0));
  return out;
}

AddressLookup read_addresses(const ub_result& answer) {
  AddressLookup out;
  out.security = security_of(answer);
  if (answer.why_bogus != nullptr) out.why = answer.why_bogus;
  if (out.security == DnsSecurity::kBogus) {
    out.found.status = LookupStatus::kServFail;
    return out;
  }
  for (const Bytes data : data_of(answer)) {
    if (data.size() == 4 || data.size() == 16) {
      add_address(out.found, IpAddress::from_bytes(data));
    }
  }
  out.found.status = status_of(answer, !out.found.addresses.empty());
  out.found.ttl = Duration::seconds(std::max(answer.ttl, 0));
  return out;
}

// One family may have what the other has not; a name is gone only by both.
AddressLookup merged(AddressLookup a, const AddressLookup& b) {
  for (const IpAddress& it : b.found.addresses) add_address(a.found, it);
  const auto fails = [](LookupStatus it) {
    return it == LookupStatus::kServFail || it == LookupStatus::kTimeout;
  };
  if (!a.found.addresses.empty()) {
    a.found.status = LookupStatus::kOk;
  } else if (!fails(a.found.status)) {
    a.found.status = b.found.status;
  }
  if (b.security == DnsSecurity::kBogus || a.security == DnsSecurity::kSecure) {
    a.security = b.security;
  }
  if (a.why.empty()) a.why = b.why;
  return a;
}

}  // namespace

std::string_view name_of(DnsSecurity security) {
  constexpr std::string_view kNames[] = {"secure", "insecure", "bogus"};
  return kNames[static_cast<std::size_t>(security)];
}

class ServiceResolver::Impl {
 public:
  Impl(ServiceResolverOptions options) : options_(std::move(options)) {}
  ~Impl() { cancel_all(); }

  void set_dates(const SignatureDates& dates) {
    const bool near = dates.at && dates_.at && (*dates.at - *dates_.at).abs() < kDatesKept;
    if (dates.checked == dates_.checked && (near || dates.at == dates_.at)) return;
    dates_ = dates;
    // What is under way fails: its answer would be judged by other dates.
    for (auto& [id, job] : jobs_) fail_job(job, LookupStatus::kServFail, "the dates changed");
    cancel_all();
    jobs_.clear();
    context_.reset();
  }
  const SignatureDates& dates() const { return dates_; }

  void find_services(std::string_view name, MonoTime now, ServiceDone done) {
    ask(name, {dns::RrType::kSrv}, now, std::move(done));
  }
  void find_addresses(std::string_view name, MonoTime now, AddressDone done) {
    ask(name, {dns::RrType::kA, dns::RrType::kAaaa}, now, std::move(done));
  }

  int fd() const { return context_ ? ub_fd(context_.get()) : -1; }

  MonoTime next_deadline() const {
    if (!ready_.empty()) return MonoTime();
    MonoTime out = MonoTime::max();
    for (const auto& [id, job] : jobs_) out = std::min(out, job.deadline);
    return out;
  }

  void process(MonoTime now) {
    if (context_) static_cast<void>(ub_process(context_.get()));
    for (auto it = jobs_.begin(); it != jobs_.end();) {
      Job& job = it->second;
      const bool late = now >= job.deadline;
      if (job.open > 0 && !late) {
        ++it;
        continue;
      }
      if (job.open > 0) fail_job(job, LookupStatus::kTimeout, "no answer in time");
      cancel(job);
      if (!late || job.open == 0) finish(job);
      it = jobs_.erase(it);
    }
    for (std::function<void()>& call : std::exchange(ready_, {})) call();
  }

 private:
  struct Job;
  struct Question {
    Job* job = nullptr;
    int async_id = 0;
    bool open = false;
    dns::RrType type{};
  };
  // In a std::map, so that its address holds while libunbound has it.
  struct Job {
    MonoTime deadline;
    std::variant<ServiceDone, AddressDone> done;
    Question questions[2];
    std::size_t open = 0;
    std::optional<ServiceLookup> services;
    std::optional<AddressLookup> addresses;
  };

  void ask(std::string_view name, std::initializer_list<dns::RrType> types, MonoTime now,
           std::variant<ServiceDone, AddressDone> done) {
    // Not while somebody waits: the next one will do.
    const bool stale = clock_.set_back(sys::unix_now(), now) || servers_changed();
    if (stale && jobs_.empty()) {
      context_.reset();
      clock_.reset();
    }
    Job& job = jobs_[next_id_++];
    job.deadline = now + options_.timeout;
    job.done = std::move(done);
    std::string absolute(name);
    if (absolute.empty() || absolute.back() != '.') absolute += '.';
    std::string fault;
    if (jobs_.size() > kMaxLookups) fault = "too many look-ups at once";
    if (fault.empty() && !context_) fault = open_context();
    std::size_t at = 0;
    for (const dns::RrType type : types) {
      if (fault.empty()) fault = ask(job, job.questions[at++], absolute, type);
    }
    if (fault.empty()) return;
    cancel(job);
    fail_job(job, LookupStatus::kServFail, fault);
    jobs_.erase(std::prev(jobs_.end()));
  }

  // A machine that moves has other servers in each network.
  bool servers_changed() const {
    const bool system = options_.servers.empty() && !options_.full_resolution;
    return context_ && system && mark_of(kResolvConf) != servers_;
  }

  std::string open_context() {
    servers_ = mark_of(kResolvConf);
    auto made = make_context(options_, dates_);
    if (!made.ok()) return made.error().text();
    // The helper thread starts here.
    const SignalsBlocked blocked;
    const Result<void> begun = begin(made->get());
    if (!begun.ok()) return begun.error().text();
    context_ = std::move(made).value();
    return "";
  }

  std::string ask(Job& job, Question& question, const std::string& name, dns::RrType type) {
    question.job = &job;
    question.type = type;
    const SignalsBlocked blocked;
    const int code = ub_resolve_async(context_.get(), name.c_str(), static_cast<int>(type),
                                      static_cast<int>(dns::RrClass::kIn), &question, on_answer,
                                      &question.async_id);
    question.open = code == 0;
    job.open += question.open ? 1 : 0;
    return code == 0 ? "" : ub_strerror(code);
  }

  // Called by ub_process() alone.
  static void on_answer(void* argument, int code, ub_result* raw) {
    const std::unique_ptr<ub_result, ResultDeleter> answer(raw);
    auto& question = *static_cast<Question*>(argument);
    Job& job = *question.job;
    question.open = false;
    --job.open;
    if (question.type == dns::RrType::kSrv) {
      job.services = code == 0 && answer ? read_services(*answer) : ServiceLookup{};
      if (code != 0) job.services->why = ub_strerror(code);
      return;
    }
    AddressLookup found = code == 0 && answer ? read_addresses(*answer) : AddressLookup{};
    if (code != 0) found.why = ub_strerror(code);
    job.addresses = job.addresses ? merged(std::move(*job.addresses), found) : std::move(found);
  }

  // With what there is.
  void finish(Job& job) {
    if (const auto* done = std::get_if<ServiceDone>(&job.done)) {
      ready_.push_back(
          [done = *done, found = job.services.value_or(ServiceLookup{})] { done(found); });
    } else {
      ready_.push_back([done = std::get<AddressDone>(job.done),
                        found = job.addresses.value_or(AddressLookup{})] { done(found); });
    }
  }

  // Addresses of one family count even where the other's question failed.
  void fail_job(Job& job, LookupStatus status, const std::string& why) {
    if (!job.services) job.services.emplace();
    if (job.services->records.empty()) job.services->status = status;
    if (job.services->why.empty()) job.services->why = why;
    if (!job.addresses) job.addresses.emplace();
    if (job.addresses->found.addresses.empty()) job.addresses->found.status = status;
    if (job.addresses->why.empty()) job.addresses->why = why;
    finish(job);
  }

  void cancel(Job& job) {
    for (Question& question : job.questions) {
      if (question.open) static_cast<void>(ub_cancel(context_.get(), question.async_id));
      question.open = false;
    }
  }
  void cancel_all() {
    for (auto& [id, job] : jobs_) cancel(job);
  }

  ServiceResolverOptions options_;
  SignatureDates dates_;
  std::map<std::uint64_t, Job> jobs_;
  std::deque<std::function<void()>> ready_;
  std::uint64_t next_id_ = 1;
  ClockWatch clock_;
  FileMark servers_;  // the system's, as the context has them
  Context context_;   // nothing until the first look-up
};

Result<std::unique_ptr<ServiceResolver>> ServiceResolver::create(
    const ServiceResolverOptions& options) {
  // Whether libunbound takes the anchors shows when it starts; it needs no thread for a name that
  // it knows by itself.
  Context trial = TRY(make_context(options, {}));
  ub_result* raw = nullptr;
  const int code = ub_resolve(trial.get(), "localhost.", static_cast<int>(dns::RrType::kA),
                              static_cast<int>(dns::RrClass::kIn), &raw);
  const std::unique_ptr<ub_result, ResultDeleter> answer(raw);
  if (code != 0) {
    return fail(Error{ErrorCode::kInvalid, "DNSSEC trust anchors or DNS servers",
                      std::string("libunbound does not take them: ") + ub_strerror(code)});
  }
  return std::unique_ptr<ServiceResolver>(new ServiceResolver(std::make_unique<Impl>(options)));
}

ServiceResolver::ServiceResolver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ServiceResolver::~ServiceResolver() = default;

void ServiceResolver::set_dates(const SignatureDates& dates) {
  impl_->set_dates(dates);
}
const SignatureDates& ServiceResolver::dates() const {
  return impl_->dates();
}
void ServiceResolver::find_services(std::string_view name, MonoTime now, ServiceDone done) {
  impl_->find_services(name, now, std::move(done));
}
void ServiceResolver::find_addresses(std::string_view name, MonoTime now, AddressDone done) {
  impl_->find_addresses(name, now, std::move(done));
}
int ServiceResolver::fd() const {
  return impl_->fd();
}
MonoTime ServiceResolver::next_deadline() const {
  return impl_->next_deadline();
}
void ServiceResolver::process(MonoTime now) {
  impl_->process(now);
}

namespace {

void wait(ServiceResolver& resolver, const bool& done) {
  // It ends: every look-up has a deadline.
  while (!done) {
    const Duration left = resolver.next_deadline() - sys::mono_now();
    const auto ms = std::clamp<std::int64_t>(left.ns() / 1'000'000 + 1, 0, 1000);
    pollfd entry{resolver.fd(), POLLIN, 0};
    static_cast<void>(poll(&entry, 1, left.ns() <= 0 ? 0 : static_cast<int>(ms)));
    resolver.process(sys::mono_now());
  }
}

}  // namespace

ServiceLookup find_services_blocking(ServiceResolver& resolver, std::string_view name) {
  ServiceLookup out;
  bool done = false;
  resolver.find_services(name, sys::mono_now(), [&](const ServiceLookup& found) {
    out = found;
    done = true;
  });
  wait(resolver, done);
  return out;
}

AddressLookup find_addresses_blocking(ServiceResolver& resolver, std::string_view name) {
  AddressLookup out;
  bool done = false;
  resolver.find_addresses(name, sys::mono_now(), [&](const AddressLookup& found) {
    out = found;
    done = true;
  });
  wait(resolver, done);
  return out;
}

}  // namespace timepool::net
