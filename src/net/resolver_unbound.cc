// libunbound as a forwarding stub: everything goes to the configured servers.
#include <unbound.h>

#include <algorithm>
#include <map>

#include "net/clock_watch.h"
#include "net/lookup_table.h"
#include "net/resolver_backends.h"
#include "sys/clock.h"
#include "wire/dns/constants.h"

namespace timepool::net {
namespace {

struct Setting {
  const char* key;
  const char* value;
};

constexpr Setting kSettings[] = {
    // No validator: there is no trust anchor, and a pool's own zones may be unsigned.
    {"module-config:", "iterator"},
    {"do-not-query-localhost:", "no"},
    // The servers know all that is needed; nothing is fetched beside the question itself.
    {"target-fetch-policy:", "0 0 0 0 0"},
    {"qname-minimisation:", "no"},
    // An address that has changed is seen when its TTL is over, whatever the state of the servers.
    {"serve-expired:", "no"},
    {"prefetch:", "no"},
    {"cache-min-ttl:", "0"},
    // A name that does not exist yet is asked for again soon.
    {"cache-max-negative-ttl:", "60"},
    // A server that was away is used again within seconds of its return.
    {"infra-host-ttl:", "5"},
    {"infra-keep-probing:", "yes"},
    {"edns-buffer-size:", "1232"},
    // A daemon looks up tens of names.
    {"msg-cache-size:", "256k"},
    {"rrset-cache-size:", "512k"},
    {"use-syslog:", "no"},
};
// Names that libunbound answers by itself unless told not to (RFC 6761, RFC 8375), but that a
// pool's private or test zones may well have.
constexpr const char* kServedZones[] = {"test.", "home.arpa."};

struct ContextDeleter {
  void operator()(ub_ctx* context) const { ub_ctx_delete(context); }
};
using Context = std::unique_ptr<ub_ctx, ContextDeleter>;

Error unbound_error(int code, std::string_view what) {
  return {ErrorCode::kSystem, "libunbound " + std::string(what), ub_strerror(code)};
}

Result<Context> make_context(const ResolverOptions& options) {
  Context context(ub_ctx_create());
  if (!context) return fail(Error{ErrorCode::kSystem, "libunbound", "cannot be initialised"});
  for (const Setting& setting : kSettings) {
    const int code = ub_ctx_set_option(context.get(), setting.key, setting.value);
    if (code != 0) return fail(unbound_error(code, setting.key));
  }
  if (!options.cache) {
    for (const char* key : {"cache-max-ttl:", "cache-max-negative-ttl:"}) {
      const int code = ub_ctx_set_option(context.get(), key, "0");
      if (code != 0) return fail(unbound_error(code, key));
    }
  }
  for (const Endpoint& server : options.servers) {
    const std::string text = format(server.address) + '@' + std::to_string(server.port);
    const int code = ub_ctx_set_fwd(context.get(), text.c_str());
    if (code != 0) return fail(unbound_error(code, "server " + format(server)));
  }
  // 1: a thread, not a process.
  if (const int code = ub_ctx_async(context.get(), 1); code != 0) {
    return fail(unbound_error(code, "async"));
  }
  for (const char* zone : kServedZones) {
    const int code = ub_ctx_zone_remove(context.get(), zone);
    if (code != 0) return fail(unbound_error(code, zone));
  }
  return context;
}

struct ResultDeleter {
  void operator()(ub_result* result) const { ub_resolve_free(result); }
};

// What one question gave, as a result of its own.
LookupResult read_answer(const ub_result& answer) {
  LookupResult out;
  out.ttl = Duration::seconds(std::max(answer.ttl, 0));
  if (answer.havedata != 0) {
    for (int i = 0; answer.data[i] != nullptr; ++i) {
      const auto size = static_cast<std::size_t>(answer.len[i]);
      if (size != 4 && size != 16) continue;
      const auto* data = reinterpret_cast<const std::byte*>(answer.data[i]);
      add_address(out, IpAddress::from_bytes(Bytes(data, size)));
    }
  }
  if (!out.addresses.empty()) {
    out.status = LookupStatus::kOk;
  } else if (answer.nxdomain != 0) {
    out.status = LookupStatus::kNxDomain;
  } else if (answer.rcode == static_cast<int>(wire::dns::Rcode::kNoError)) {
    out.status = LookupStatus::kNoData;
  } else {
    out.status = LookupStatus::kServFail;
    out.ttl.reset();
  }
  return out;
}

// Addresses of one family count even where the other's question failed.
LookupResult merge(LookupResult a, const LookupResult& b) {
  const auto rank = [](LookupStatus status) {
    switch (status) {
      case LookupStatus::kOk:
        return 4;
      case LookupStatus::kServFail:
        return 3;
      case LookupStatus::kTimeout:
        return 2;
      case LookupStatus::kNoData:
        return 1;
      default:
        return 0;
    }
  };
  const bool alike = a.status == b.status;
  const bool b_counts = rank(b.status) > rank(a.status);
  for (const IpAddress& address : b.addresses) add_address(a, address);
  if (alike && a.ttl && b.ttl) a.ttl = std::min(*a.ttl, *b.ttl);
  if (b_counts) {
    a.status = b.status;
    a.ttl = b.ttl;
  }
  return a;
}

class UnboundResolver : public Resolver {
 public:
  UnboundResolver(Context context, ResolverOptions options)
      : options_(std::move(options)), context_(std::move(context)) {}
  ~UnboundResolver() override {
    for (const auto& [id, question] : questions_) cancel_questions(question);
  }

  LookupId lookup(std::string_view name, LookupFamily family, MonoTime now,
                  Callback callback) override {
    const auto added = table_.add(name, family, now + options_.timeout, std::move(callback));
    if (!added.started) return added.id;
    if (clock_.set_back(sys::unix_now(), now) && questions_.empty()) forget();
    const std::string text(name);
    Questions& questions = questions_[added.id];
    if (family != LookupFamily::kV6) ask(added.id, questions, 0, text, wire::dns::RrType::kA);
    if (family != LookupFamily::kV4) ask(added.id, questions, 1, text, wire::dns::RrType::kAaaa);
    finish_if_done(added.id);
    return added.id;
  }

  void cancel(LookupId id) override {
    table_.cancel(id);
    drop_questions(id);
  }

  int fd() const override { return ub_fd(context_.get()); }
  MonoTime next_deadline() const override { return table_.next_deadline(); }

  void process(MonoTime now) override {
    static_cast<void>(ub_process(context_.get()));
    while (const LookupId id = table_.expired(now)) {
      LookupResult late;
      late.status = LookupStatus::kTimeout;
      const Questions& questions = questions_[id];
      for (const Question& question : questions.parts) {
        if (question.answer) late = merge(std::move(late), *question.answer);
      }
      table_.finish(id, std::move(late));
      drop_questions(id);
    }
    table_.run_callbacks();
  }

 private:
  struct Question {
    UnboundResolver* owner = nullptr;
    LookupId id = 0;
    int async_id = 0;
    bool open = false;
    std::optional<LookupResult> answer;
  };
  // A and AAAA. In a std::map, so that their addresses hold while libunbound has them.
  struct Questions {
    Question parts[2];
  };

  // All answers. Where there is no memory for another context this one goes on.
  void forget() {
    auto fresh = make_context(options_);
    if (!fresh.ok()) return;
    context_ = std::move(fresh).value();
    clock_.reset();
  }

  void ask(LookupId id, Questions& questions, std::size_t part, const std::string& name,
           wire::dns::RrType type) {
    Question& question = questions.parts[part];
    question.owner = this;
    question.id = id;
    // The helper thread starts with the first question.
    const SignalsBlocked blocked;
    const int code = ub_resolve_async(context_.get(), name.c_str(), static_cast<int>(type),
                                      static_cast<int>(wire::dns::RrClass::kIn), &question,
                                      on_answer, &question.async_id);
    question.open = code == 0;
    if (code != 0) question.answer.emplace();
  }

  // Called by ub_process() alone.
  static void on_answer(void* argument, int code, ub_result* raw) {
    const std::unique_ptr<ub_result, ResultDeleter> answer(raw);
    auto& question = *static_cast<Question*>(argument);
    question.open = false;
    question.answer = code == 0 && answer ? read_answer(*answer) : LookupResult{};
    question.owner->finish_if_done(question.id);
  }

  void finish_if_done(LookupId id) {
    const auto found = questions_.find(id);
    if (found == questions_.end()) return;
    std::optional<LookupResult> result;
    for (const Question& question : found->second.parts) {
      if (question.open) return;
      if (!question.answer) continue;
      result = result ? merge(std::move(*result), *question.answer) : *question.answer;
    }
    if (result) table_.finish(id, std::move(*result));
    questions_.erase(found);
  }

  void cancel_questions(const Questions& questions) {
    for (const Question& question : questions.parts) {
      if (question.open) static_cast<void>(ub_cancel(context_.get(), question.async_id));
    }
  }
  void drop_questions(LookupId id) {
    const auto found = questions_.find(id);
    if (found == questions_.end()) return;
    cancel_questions(found->second);
    questions_.erase(found);
  }

  ResolverOptions options_;
  ClockWatch clock_;
  LookupTable table_;
  std::map<LookupId, Questions> questions_;
  Context context_;
};

}  // namespace

Result<std::unique_ptr<Resolver>> make_unbound_resolver(const ResolverOptions& options) {
  Context context = TRY(make_context(options));
  return std::unique_ptr<Resolver>(new UnboundResolver(std::move(context), options));
}

}  // namespace timepool::net
