#include "monitord/nts_prober.h"

#include <algorithm>
#include <utility>

#include "monitord/nts_outcome.h"
#include "monitord/time_request.h"
#include "sys/clock.h"

namespace timepool::monitord {
namespace {

using net::LookupResult;
using net::LookupStatus;
using nts_client::KeyResult;
using pool::NtsOutcome;

nts::KeClientConfig records() {
  nts::KeClientConfig out;
  CHECK(out.aeads.push_back(AeadId::kAes128GcmSiv));
  CHECK(out.aeads.push_back(AeadId::kAesSivCmac256));
  return out;
}

net::LookupFamily family_of(const IpAddress& address) {
  return address.is_v4() ? net::LookupFamily::kV4 : net::LookupFamily::kV6;
}

// Whether the look-up told something of the name, and not of the resolver.
bool is_told(LookupStatus status) {
  return status == LookupStatus::kOk || status == LookupStatus::kNxDomain ||
         status == LookupStatus::kNoData;
}

std::string text_of(const LookupResult& found) {
  std::string out;
  for (const IpAddress& it : found.addresses) out += (out.empty() ? "" : ", ") + format(it);
  return out.empty() ? std::string(net::name_of(found.status)) : out;
}

}  // namespace

// One server's check. Each step is begun by the one before it, from the reactor.
class NtsProber::Check {
 public:
  Check(NtsProber& prober, std::uint64_t id, Waiting what)
      : prober_(prober),
        id_(id),
        what_(std::move(what)),
        earliest_request_(sys::mono_now() + prober.options_.spacing),
        query_config_(exchange_config(prober.precision_, prober.options_.answer_timeout)),
        request_(prober.reactor_) {
    result_.name = what_.work.name;
    result_.port = what_.work.port;
  }

  void begin() {
    prober_.log_.debug("checking NTS of {} at {}", what_.work.name, format(what_.server));
    if (!prober_.options_.look_up) return establish();
    prober_.lookups_->find(what_.work.name, family_of(what_.server),
                           [this](const LookupResult& found) { judge_name(found); });
  }

 private:
  void judge_name(const LookupResult& found) {
    if (!is_told(found.status)) return give_up("look up " + what_.work.name, text_of(found));
    const auto& all = found.addresses;
    if (std::find(all.begin(), all.end(), what_.server) == all.end()) {
      return end_with(NtsOutcome::kWrongAddress, "the name leads to: " + text_of(found));
    }
    establish();
  }

  void establish() {
    auto context = prober_.trust_.context(what_.work.trust, sys::mono_now());
    if (!context.ok()) return give_up(context.error());
    nts_client::KeyRequest request;
    request.server = {what_.server, what_.work.port};
    request.peer.name = what_.work.name;
    request.peer.dates = {net::TlsDates::Check::kAt, sys::unix_now()};
    request.tls = std::move(*context);
    request.records = records();
    const auto started =
        prober_.keys_.start(std::move(request), [this](const KeyResult& keys) { take_keys(keys); });
    // There are no more checks at once than key establishments may be.
    CHECK(started);
  }

  void take_keys(const KeyResult& keys) {
    if (!judge_keys(keys, result_)) return give_up("key establishment", keys.text);
    if (result_.outcome != NtsOutcome::kOk) return end();
    authenticator_.emplace(prober_.aeads_, *keys.establishment);
    query_.emplace(query_config_, *authenticator_);
    find_time_server(*keys.establishment);
  }

  // RFC 8915 4.1.7, 4.1.8: the server that was named, else the address of the key establishment.
  void find_time_server(const nts::Establishment& keys) {
    time_server_ = {what_.server, keys.port};
    if (keys.server.empty() || nts::same_server_name(keys.server, what_.work.name)) {
      return ask_later(earliest_request_);
    }
    prober_.lookups_->find(
        keys.server, family_of(what_.server),
        [this, name = keys.server](const LookupResult& found) { take_named(name, found); });
  }

  void take_named(const std::string& name, const LookupResult& found) {
    if (!is_told(found.status)) return give_up("look up " + name, text_of(found));
    const auto usable = std::find_if(
        found.addresses.begin(), found.addresses.end(), [this](const IpAddress& address) {
          // Nobody has us send to a private network, but who is in one.
          return address.is_global_unicast() || !what_.server.is_global_unicast();
        });
    if (usable == found.addresses.end()) {
      return end_with(NtsOutcome::kNoReply,
                      "no usable address of the time server " + name + ": " + text_of(found));
    }
    time_server_.address = *usable;
    ask_later(earliest_request_);
  }

  void ask_later(MonoTime when) {
    timer_ = prober_.reactor_.at(when, [this] { ask(); });
  }

  void ask() {
    ++tries_;
    const MonoTime now = sys::mono_now();
    earliest_request_ = now + prober_.options_.spacing;
    request_.start(time_server_, prober_.options_.answer_timeout, *query_, prober_.random_,
                   [this](const TimeRequest::End& end) { take_answer(end); });
  }

  void take_answer(const TimeRequest::End& end) {
    const ntp::NtsState state = authenticator_->state();
    if (end.answer) {
      if (!judge_answer(*end.answer, state.cookies_asked, state.cookies_taken, result_)) {
        return give_up("authenticated exchange", ntp::name_of(end.answer->reason));
      }
      return this->end();
    }
    if (end.error && end.error->code != ErrorCode::kUnavailable) return give_up(*end.error);
    if (tries_ < kTries) return ask_later(earliest_request_);
    judge_silence(state, result_);
    this->end();
  }

  void end_with(NtsOutcome outcome, std::string_view detail) {
    result_.outcome = outcome;
    result_.detail = detail_of(detail);
    end();
  }
  void end() { finish(std::move(result_)); }
  void give_up(std::string operation, std::string_view detail) {
    give_up(Error{ErrorCode::kUnavailable, std::move(operation), std::string(detail)});
  }
  void give_up(const Error& fault) {
    prober_.note_own_fault("NTS of " + what_.work.name + " at " + format(what_.server) +
                           " can't be checked: " + fault.text());
    finish(std::nullopt);
  }
  // Not from within: this object ends with it.
  void finish(std::optional<NtsResult> result) {
    timer_ = prober_.reactor_.at(sys::mono_now(), [this, result = std::move(result)]() mutable {
      prober_.finish(id_, std::move(what_.done), std::move(result));
    });
  }

  NtsProber& prober_;
  std::uint64_t id_;
  Waiting what_;
  MonoTime earliest_request_;
  NtsResult result_;
  ntp::ExchangeConfig query_config_;
  std::optional<ntp::NtsAuthenticator> authenticator_;
  std::optional<ntp::Query> query_;
  Endpoint time_server_;
  int tries_ = 0;
  net::Timer timer_;
  TimeRequest request_;
};

NtsProber::NtsProber(net::Reactor& reactor, Options options, std::unique_ptr<NameLookups> lookups,
                     const AeadMaker& aeads, const SiphashKey& random_key, sys::Logger& log)
    : reactor_(reactor),
      options_(std::move(options)),
      lookups_(std::move(lookups)),
      aeads_(aeads),
      trust_(options_.trust, log),
      keys_(reactor, options_.key_timeout, static_cast<std::size_t>(options_.max_parallel)),
      random_(random_key),
      precision_(static_cast<std::int8_t>(sys::measure_precision())),
      log_(log),
      turns_(options_.max_parallel, [this](std::uint64_t id, Waiting what) {
        return std::make_unique<Check>(*this, id, std::move(what));
      }) {}

NtsProber::~NtsProber() = default;

Result<std::unique_ptr<NtsProber>> NtsProber::create(net::Reactor& reactor, Options options,
                                                     const AeadMaker& aeads,
                                                     const SiphashKey& random_key,
                                                     sys::Logger& log) {
  std::unique_ptr<NameLookups> lookups = TRY(NameLookups::create(reactor, options.resolvers));
  std::unique_ptr<NtsProber> out(
      new NtsProber(reactor, std::move(options), std::move(lookups), aeads, random_key, log));
  for (const auto& [word, file] : out->options_.trust) {
    const auto context = out->trust_.context(word, sys::mono_now());
    if (context.ok()) continue;
    Error error = context.error();
    error.operation = "[[nts.trust]] file: " + error.operation;
    return fail(std::move(error));
  }
  return out;
}

void NtsProber::check(const IpAddress& server, const NtsWork& work, Done done) {
  turns_.add({server, work, std::move(done)});
}

void NtsProber::finish(std::uint64_t id, Done done, std::optional<NtsResult> result) {
  // Outlives the check that it came with.
  const Done told = std::move(done);
  turns_.over(id);
  told(std::move(result));
}

void NtsProber::note_own_fault(const std::string& text) {
  const MonoTime now = sys::mono_now();
  if (now < next_warning_) return log_.debug("{}", text);
  next_warning_ = now + kWarnings;
  log_.warning("{}", text);
}

}  // namespace timepool::monitord
